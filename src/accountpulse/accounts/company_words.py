"""Words that company names and web addresses are full of, and that tell little about who somebody is.

Legal forms are cleanco's lists and what these lack: long forms, forms in other scripts, newer ones.
"""

import re


def _listed(text: str) -> frozenset[str]:
    """Terms that commas part."""
    return frozenset(" ".join(term.split()) for term in text.split(","))


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
OTHER_FORMS = _listed("""
    a s, ab, abee, abp, ae, ag, ag co kg, ao, aps, as, asa, bhd, bt, bv, bvba, cic, cjsc, clg, co, co ltd, corp,
    cv, dac, dd, dmcc, doo, eg, eireli, ek, eood, epe, fz llc, fzc, fzco, fze, gbr, ggmbh, gk, gmbh, gmbh and co
    kg, gmbh co kg, gmbh co kgaa, gmbh co ohg, gmbh u co kg, haftungsbeschrankt, ike, inc, jsc, kft, kg, kgaa,
    kk, lda, llc, lllp, llp, lp, ltd, ltd sti, ltda, ltee, mbb, nv, nyrt, oao, ohg, ojsc, ood, ooo, ou, oy, oy
    ab, oyj, pao, partg mbb, pc, pjsc, plc, psc, pt, pte, pte ltd, pty, pty ltd, publ, pvt, pvt ltd, s a r l, s
    de rl de cv, sa, sa de cv, san tic as, sapi de cv, sarl, sas, sasu, sau, scrl, sdn bhd, se, se co kgaa, sia,
    sl, slu, sp k, sp zoo, spa, spc, sprl, srl, srl bv, srls, sro, tbk, teo, tic ltd sti, trust, uab, ug, ug co
    kg, vof, wll, yk, zao, zrt
""")
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
FAMILY = _listed("""
    academy, africa, america, americas, apac, arabia, argentina, asia, australia, austria, belgique, belgium,
    benelux, berlin, beteiligungen, beteiligungs, beteiligungsgesellschaft, branch, brasil, brazil, britain,
    bulgaria, california, canada, capital, chile, china, colombia, czech, dach, danmark, demo, denmark,
    deutschland, division, dubai, east, egypt, emea, emirates, england, espana, eu, europa, europe, european,
    filiale, finland, foundation, france, franchise, germany, global, greece, group, groupe, grupa, grupo,
    gruppe, gruppo, hamburg, hellas, holding, holdings, hong, hungary, iberia, india, indonesia, international,
    invest, investments, ireland, israel, italia, italy, japan, kenya, kong, konzern, korea, latam, london,
    madrid, malaysia, mena, mexico, milano, munich, nederland, netherlands, niederlassung, nigeria, nord,
    nordic, nordics, norge, north, norway, ost, osterreich, osterrich, pacific, parent, paris, peru,
    philippines, poland, polska, portugal, qatar, romania, russia, sandbox, saudi, schweiz, scotland, shanghai,
    singapore, south, spain, staging, stiftung, subsidiary, sud, suisse, suomi, sverige, sweden, switzerland,
    taiwan, test, texas, thailand, tokyo, training, trial, turkey, turkiye, uae, uk, ukraine, us, usa, ventures,
    verwaltung, verwaltungs, vienna, vietnam, wales, west, wien, worldwide, york, zealand, zurich,
    zweigniederlassung
""")
# short for: both are the longer one
ABBREVIATIONS = {
    "intl": "international", "int": "international", "natl": "national", "mfg": "manufacturing", "tech": "technology",
    "technologies": "technology", "bros": "brothers", "gebr": "gebruder", "assoc": "associates", "svc": "services",
    "svcs": "services", "mgmt": "management", "grp": "group", "hldgs": "holdings", "hldg": "holding", "sys": "systems",
    "dev": "development", "eng": "engineering", "univ": "university", "inst": "institute", "ctr": "center",
    "centre": "center", "dept": "department", "bldg": "building", "dist": "distribution", "labs": "laboratories",
    "lab": "laboratory", "pharma": "pharmaceuticals",
}  # fmt: skip
FILLERS = frozenset(
    {"the", "and", "und", "et", "y", "e", "i", "og", "och", "en", "of", "der", "die", "das", "de", "la"}
)
# before a name that a company had, or has beside its own; the shorter ones only where brackets or a dash go before
EARLIER = re.compile(
    r"\b(?:formerly(?: known as)?|previously(?: known as)?|f\.?k\.?a\.?|f/k/a|ehemals|ehem\.|vormals|vorm\.|früher|"
    r"anciennement|voorheen|tidigare|dawniej|dříve|бывш(?:\.|ая|ий|ее)|ранее|πρώην|d\.b\.a\.?|d/b/a|dba|"
    r"doing business as|trading as|t/a|a/k/a|also known as|renamed to)"
    r"[\s:：]+|(?:旧社名|原名)[\s:：]*",
    re.IGNORECASE,
)
EARLIER_IN_BRACKETS = re.compile(
    r"^\s*(?:ex[- ]+|ex\.\s*|former\s+|antes\s+|antigua\s+|gi[àa]\s+|tidl\.\s*|aka\s+|a\.k\.a\.?\s*|now\s+|jetzt\s+|"
    r"旧[\s:：]*|原[\s:：]*)",
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
    r"(?<!\w)(?:in liquidation|i\.\s?l\.|i\.\s?ins\.|in liq\.?|en liquidation|en liquidación|in liquidazione|"
    r"w likwidacji|v likvidaci|in insolvenz|in abwicklung|in administration|dissolved|aufgelöst|gelöscht|erloschen|"
    r"liquidated|liquidée?|radiée?|bankrupt|insolvent|defunct|inactive|closed|struck off|ceased(?: trading)?|"
    r"в ликвидации|ликвидирован[оа]?|do not use|duplicate|obsolete|deprecated|archived)\W*$",
    re.IGNORECASE,
)
# where anybody has an address; the first group under many endings
FREE_MAIL_NAMES = _listed("""
    aol, gmail, gmx, googlemail, hotmail, icloud, live, mailinator, msn, outlook, protonmail, rocketmail,
    tutanota, yahoo, yandex, ymail, zohomail
""")
FREE_MAIL = _listed("""
    10minutemail.com, 126.com, 163.com, abv.bg, alice.it, aon.at, appleid.com, arcor.de, att.net, bbox.fr,
    bellsouth.net, bigpond.com, bk.ru, bluewin.ch, bol.com.br, btinternet.com, centrum.cz, charter.net,
    chello.at, citromail.hu, comcast.net, cox.net, daum.net, docomo.ne.jp, earthlink.net, email.com, email.cz,
    ezweb.ne.jp, fastmail.com, fastmail.fm, foxmail.com, free.fr, freemail.hu, freenet.de, guerrillamail.com,
    hanmail.net, hey.com, hispeed.ch, hushmail.com, i.ua, ig.com.br, in.gr, inbox.ru, interia.pl, internet.ru,
    kpnmail.nl, laposte.net, libero.it, list.ru, mac.com, mail.bg, mail.com, mail.ru, mailbox.org, me.com,
    nate.com, naver.com, neuf.fr, ntlworld.com, o2.pl, onet.pl, online.de, op.pl, optusnet.com.au, orange.fr,
    otenet.gr, planet.nl, pm.me, posteo.de, privaterelay.appleid.com, proton.me, qq.com, rambler.ru,
    rediffmail.com, rogers.com, sbcglobal.net, seznam.cz, sfr.fr, shaw.ca, sina.cn, sina.com, sky.com,
    skynet.be, sohu.com, sympatico.ca, t-online.de, talktalk.net, telenet.be, telia.com, temp-mail.org,
    terra.com.br, tin.it, tiscali.it, tuta.io, ukr.net, uol.com.br, verizon.net, virgilio.it, virginmedia.com,
    walla.co.il, wanadoo.fr, web.de, wp.pl, xtra.co.nz, ya.ru, yeah.net, yopmail.com, ziggo.nl, zoho.com,
    zoho.eu
""")
# where anybody has a page: the host says nothing of who it is
SHARED_HOSTS = _listed("""
    amazon.com, amazonaws.com, atlassian.net, bit.ly, blogspot.com, business.site, crunchbase.com, ebay.com,
    etsy.com, facebook.com, fb.com, godaddysites.com, goo.gl, google.com, instagram.com, jimdo.com,
    jimdofree.com, linkedin.com, linktr.ee, medium.com, my.site.com, notion.site, notion.so, onmicrosoft.com,
    sharepoint.com, shopify.com, site123.me, slack.com, squarespace.com, strikingly.com, t.co, tiktok.com,
    tumblr.com, twitter.com, vk.com, webflow.io, weebly.com, weibo.com, wikipedia.org, wix.com, wordpress.com,
    x.com, xing.com, youtube.com, zendesk.com
""")
