"""Words that company names and web addresses are full of, and that tell little about who somebody is.

Legal forms are cleanco's lists and what these lack: long forms, forms in other scripts, newer ones.
"""

import re

# as people write it → what it is the same as
LONG_FORMS = {
    "limited": "ltd",
    "l t d": "ltd",
    "incorporated": "inc",
    "corporation": "corp",
    "company": "co",
    "and company": "co",
    "and co": "co",
    "public limited company": "plc",
    "limited liability company": "llc",
    "private limited": "pvt ltd",
    "pvt limited": "pvt ltd",
    "private ltd": "pvt ltd",
    "proprietary limited": "pty ltd",
    "pty limited": "pty ltd",
    "pte limited": "pte ltd",
    "company limited": "co ltd",
    "co limited": "co ltd",
    "gesellschaft mit beschrankter haftung": "gmbh",
    "gesellschaft mbh": "gmbh",
    "ges m b h": "gmbh",
    "gesmbh": "gmbh",
    "aktiengesellschaft": "ag",
    "kommanditgesellschaft": "kg",
    "offene handelsgesellschaft": "ohg",
    "unternehmergesellschaft": "ug",
    "ug haftungsbeschrankt": "ug",
    "eingetragener kaufmann": "ek",
    "societe anonyme": "sa",
    "sociedad anonima": "sa",
    "sociedade anonima": "sa",
    "societa per azioni": "spa",
    "societa a responsabilita limitata": "srl",
    "societe par actions simplifiee": "sas",
    "societe a responsabilite limitee": "sarl",
    "sociedad limitada": "sl",
    "limitada": "ltda",
    "naamloze vennootschap": "nv",
    "besloten vennootschap": "bv",
    "aktiebolag": "ab",
    "ab publ": "ab",
    "aksjeselskap": "as",
    "aktieselskab": "as",
    "anpartsselskab": "aps",
    "osakeyhtio": "oy",
    "spolka akcyjna": "sa",
    "spolka z o o": "sp zoo",
    "spolka z ograniczona odpowiedzialnoscia": "sp zoo",
    "sp z o o": "sp zoo",
    "sp z oo": "sp zoo",
    "spol s r o": "sro",
    "spol s ro": "sro",
    "spolka z oo": "sp zoo",
    "akciova spolecnost": "as",
    "anonim sirketi": "as",
    "limited sirketi": "ltd sti",
    "kabushiki kaisha": "kk",
    "kabushiki gaisha": "kk",
    "godo kaisha": "gk",
    "korlatolt felelossegu tarsasag": "kft",
    "societas europaea": "se",
}
# what cleanco doesn't have, folded as names are
OTHER_FORMS = frozenset({
    "ag co kg", "gmbh co kg", "gmbh u co kg", "gmbh and co kg", "gmbh co kgaa", "ug co kg", "se co kgaa", "gmbh co ohg",
    "ug", "ek", "eg", "ggmbh", "se", "kgaa", "partg mbb", "mbb", "haftungsbeschrankt", "sarl", "s a r l", "sas", "sasu",
    "sa", "spa", "srl", "srls", "sl", "slu", "sau", "ltda", "eireli", "lda", "bv", "nv", "vof", "cv", "ab", "aps", "as",
    "asa", "a s", "oy", "oyj", "oy ab", "abp", "sp zoo", "sp k", "sa de cv", "s de rl de cv", "sapi de cv", "doo", "dd",
    "kft", "zrt", "nyrt", "bt", "sro", "as", "eood", "ood", "uab", "sia", "ou", "ltd sti", "tic ltd sti", "san tic as",
    "pvt ltd", "pte ltd", "pty ltd", "pty", "pte", "pvt", "co ltd", "sdn bhd", "bhd", "tbk", "pt", "cv", "fze", "fzco",
    "fz llc", "fzc", "dmcc", "wll", "spc", "psc", "pjsc", "ojsc", "cjsc", "jsc", "ooo", "oao", "zao", "pao", "ao", "llc",
    "plc", "inc", "corp", "co", "ltd", "llp", "lp", "lllp", "pc", "kk", "gk", "yk", "gmbh", "ag", "kg", "ohg", "gbr",
    "publ", "ltee", "scrl", "sprl", "bvba", "srl bv", "ike", "epe", "ae", "abee", "cic", "dac", "clg", "teo", "trust",
})  # fmt: skip
NOT_FORMS = frozenset({"private", "ok", "uk", "bl", "ba", "da", "ec", "ev", "at", "et", "dat", "fop", "psu", "sd"})
# of other scripts: taken away before the name is written in Latin letters
OTHER_SCRIPTS = re.compile(
    "株式会社|有限会社|合同会社|合名会社|合資会社|[(（]株[)）]|㈱|㈲|股份有限公司|有限责任公司|有限責任公司|有限公司|"
    "주식회사|유한회사|[(（]주[)）]|㈜|"
    r"общество с ограниченной ответственностью|(публичное |закрытое |открытое )?акционерное общество|"
    r"\b(ооо|оао|зао|пао|нао|ао|ип|тов|тоо|еоод|оод|ад|еад|дпл)\b|"
    r"ανώνυμη εταιρ[εί]+α|\b(α\.?ε\.?β\.?ε\.?|α\.?β\.?ε\.?ε\.?|α\.?ε\.?|ε\.?π\.?ε\.?|ι\.?κ\.?ε\.?|ο\.?ε\.?)(?!\w)|"
    r"\bشركة\b|\bمؤسسة\b|\bالمحدودة\b|\bمحدودة\b|ش\.? ?م\.? ?م\.?|ذ\.? ?م\.? ?م\.?|ش\.? ?م\.? ?ل\.?|ש\.מ|בע[\"״']?מ",
    re.IGNORECASE,
)
# what sets one company of a family apart from another: without it two names aren't the same
FAMILY = frozenset({
    "holding", "holdings", "group", "gruppe", "groupe", "gruppo", "grupo", "grupa", "konzern", "beteiligungs", "parent",
    "beteiligungen", "beteiligungsgesellschaft", "verwaltungs", "verwaltung", "international", "global", "worldwide",
    "ventures", "capital", "invest", "investments", "foundation", "stiftung", "subsidiary", "branch", "niederlassung",
    "filiale", "zweigniederlassung", "division", "franchise", "north", "south", "east", "west", "nord", "sud", "ost",
    "europe", "europa", "european", "emea", "apac", "asia", "pacific", "america", "americas", "africa", "latam", "mena",
    "dach", "benelux", "nordic", "nordics", "iberia", "usa", "us", "uk", "eu", "germany", "deutschland", "france",
    "italia", "italy", "espana", "spain", "portugal", "nederland", "netherlands", "belgium", "belgique", "austria",
    "osterreich", "osterrich", "schweiz", "switzerland", "suisse", "polska", "poland", "czech", "hungary", "romania",
    "bulgaria", "greece", "hellas", "turkiye", "turkey", "russia", "ukraine", "sverige", "sweden", "norge", "norway",
    "danmark", "denmark", "suomi", "finland", "ireland", "england", "scotland", "wales", "britain", "canada", "mexico",
    "brasil", "brazil", "argentina", "chile", "colombia", "peru", "india", "china", "japan", "korea", "singapore",
    "malaysia", "indonesia", "thailand", "vietnam", "philippines", "australia", "zealand", "israel", "egypt", "dubai",
    "emirates", "uae", "saudi", "arabia", "qatar", "nigeria", "kenya", "london", "paris", "berlin", "munich", "hamburg",
    "wien", "vienna", "zurich", "madrid", "milano", "tokyo", "shanghai", "hong", "kong", "taiwan", "york", "california",
    "texas", "training", "academy", "test", "demo", "staging", "sandbox", "trial",
})  # fmt: skip
FILLERS = frozenset(
    {"the", "and", "und", "et", "y", "e", "i", "og", "och", "en", "of", "der", "die", "das", "de", "la"}
)
# before a name that a company had, or has beside its own; the shorter ones only where brackets or a dash go before
EARLIER = re.compile(
    r"\b(?:formerly(?: known as)?|previously(?: known as)?|f\.?k\.?a\.?|f/k/a|ehemals|ehem\.|vormals|vorm\.|früher|"
    r"anciennement|voorheen|tidigare|dawniej|dříve|бывш(?:\.|ая|ий|ее)|ранее|πρώην|d\.b\.a\.?|d/b/a|dba|doing business as|"
    r"trading as|t/a|a/k/a|also known as|renamed to)[\s:：]+|(?:旧社名|原名)[\s:：]*",
    re.IGNORECASE,
)
EARLIER_IN_BRACKETS = re.compile(
    r"^\s*(?:ex[- ]+|ex\.\s*|former\s+|antes\s+|antigua\s+|gi[àa]\s+|tidl\.\s*|aka\s+|a\.k\.a\.?\s*|now\s+|jetzt\s+|旧[\s:：]*|"
    r"原[\s:：]*)",
    re.IGNORECASE,
)
# a remark about another company: no name of this one
OWNER = re.compile(
    r"^\s*(?:acquired by|an? (?:[\w.&-]+ ){1,3}company|part of|(?:a )?subsidiary of|(?:a )?member of|owned by|"
    r"merged (?:with|into)|übernommen von|teil der|ein unternehmen der)\b",
    re.IGNORECASE,
)
# said of a company that is no more: in brackets, or at the end
DISSOLVED = re.compile(
    r"(?<!\w)(?:in liquidation|i\.\s?l\.|i\.\s?ins\.|in liq\.?|en liquidation|en liquidación|in liquidazione|w likwidacji|"
    r"v likvidaci|in insolvenz|in abwicklung|in administration|dissolved|aufgelöst|gelöscht|erloschen|liquidated|"
    r"liquidée?|radiée?|bankrupt|insolvent|defunct|inactive|closed|struck off|ceased(?: trading)?|в ликвидации|"
    r"ликвидирован[оа]?|do not use|duplicate|obsolete|deprecated|archived)\W*$",
    re.IGNORECASE,
)
# where anybody has an address; the first group under many endings
FREE_MAIL_NAMES = frozenset({
    "gmail", "googlemail", "yahoo", "ymail", "rocketmail", "hotmail", "outlook", "live", "msn", "aol", "gmx", "yandex",
    "icloud", "protonmail", "mailinator", "tutanota", "zohomail",
})  # fmt: skip
FREE_MAIL = frozenset({
    "web.de", "t-online.de", "freenet.de", "posteo.de", "mailbox.org", "arcor.de", "online.de", "me.com", "mac.com",
    "proton.me", "pm.me", "fastmail.com", "fastmail.fm", "hey.com", "mail.com", "email.com", "zoho.com", "zoho.eu",
    "tuta.io", "hushmail.com", "mail.ru", "bk.ru", "list.ru", "inbox.ru", "internet.ru", "rambler.ru", "ya.ru", "ukr.net",
    "i.ua", "abv.bg", "qq.com", "foxmail.com", "163.com", "126.com", "yeah.net", "sina.com", "sina.cn", "sohu.com",
    "naver.com", "daum.net", "hanmail.net", "nate.com", "docomo.ne.jp", "ezweb.ne.jp", "orange.fr", "wanadoo.fr",
    "free.fr", "laposte.net", "sfr.fr", "neuf.fr", "bbox.fr", "libero.it", "virgilio.it", "tiscali.it", "alice.it",
    "tin.it", "bluewin.ch", "hispeed.ch", "aon.at", "chello.at", "seznam.cz", "centrum.cz", "email.cz", "wp.pl", "o2.pl",
    "onet.pl", "op.pl", "interia.pl", "ziggo.nl", "kpnmail.nl", "planet.nl", "telenet.be", "skynet.be", "telia.com",
    "comcast.net", "verizon.net", "att.net", "sbcglobal.net", "bellsouth.net", "cox.net", "charter.net", "earthlink.net",
    "btinternet.com", "sky.com", "virginmedia.com", "ntlworld.com", "talktalk.net", "rediffmail.com", "uol.com.br",
    "bol.com.br", "terra.com.br", "ig.com.br", "bigpond.com", "optusnet.com.au", "xtra.co.nz", "shaw.ca", "rogers.com",
    "sympatico.ca", "walla.co.il", "otenet.gr", "in.gr", "freemail.hu", "citromail.hu", "mail.bg", "yopmail.com",
    "guerrillamail.com", "10minutemail.com", "temp-mail.org", "privaterelay.appleid.com", "appleid.com",
})  # fmt: skip
# where anybody has a page: the host says nothing of who it is
SHARED_HOSTS = frozenset({
    "facebook.com", "fb.com", "linkedin.com", "instagram.com", "twitter.com", "x.com", "youtube.com", "tiktok.com",
    "xing.com", "google.com", "linktr.ee", "medium.com", "notion.site", "notion.so", "amazon.com", "amazonaws.com",
    "salesforce.com", "force.com", "my.site.com", "sharepoint.com", "onmicrosoft.com", "atlassian.net", "slack.com",
    "zendesk.com", "intercom.io", "wordpress.com", "blogspot.com", "tumblr.com", "weebly.com", "wix.com",
    "squarespace.com", "webflow.io", "godaddysites.com", "jimdo.com", "jimdofree.com", "strikingly.com", "site123.me",
    "business.site", "etsy.com", "ebay.com", "shopify.com", "crunchbase.com", "wikipedia.org", "vk.com", "weibo.com",
    "bit.ly", "goo.gl", "t.co",
})  # fmt: skip
