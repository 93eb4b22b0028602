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
    "ges mbh": "gmbh",
    "aktiengesellschaft": "ag",
    "kommanditgesellschaft": "kg",
    "offene handelsgesellschaft": "ohg",
    "unternehmergesellschaft": "ug",
    "ug haftungsbeschrankt": "ug",
    "eingetragener kaufmann": "ek",
    "eingetragene kauffrau": "ek",
    "e k": "ek",
    "spolecnost s rucenim omezenym": "sro",
    "spolocnost s rucenim obmedzenym": "sro",
    "spolka komandytowa": "sp k",
    "gmbh u co kg": "gmbh co kg",
    "gmbh und co kg": "gmbh co kg",
    "gmbh and co kg": "gmbh co kg",
    "s a rl": "sarl",
    "srl unipersonale": "srl",
    "srl a socio unico": "srl",
    "unipessoal lda": "lda",
    "ltda me": "ltda",
    "ltda epp": "ltda",
    "oy ab": "oy",
    "eingetragener unternehmer": "e.u.",
    "compania anonima": "c.a.",
    "interessentskab": "i/s",
    "tic as": "as",
    "san tic as": "as",
    "san ve tic as": "as",
    "sanayi ve ticaret as": "as",
    "tic ltd sti": "ltd sti",
    "san ve tic ltd sti": "ltd sti",
    "sanayi ve ticaret ltd sti": "ltd sti",
    "j d o o": "jdoo",
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
    cv, dac, dd, dmcc, doo, eg, eireli, ek, eood, epe, fz llc, fzc, fzco, fze, gbr, ggmbh, gk, jdoo, gmbh, gmbh
    and co kg, gmbh co kg, gmbh co kgaa, gmbh co ohg, gmbh u co kg, haftungsbeschrankt, ike, inc, jsc, kft, kg,
    kgaa, kk, lda, llc, lllp, llp, lp, ltd, ltd sti, ltda, ltee, mbb, nv, nyrt, oao, ohg, ojsc, ood, ooo, ou,
    oy, oy ab, oyj, pao, partg mbb, pc, pjsc, plc, psc, pt, pte, pte ltd, pty, pty ltd, publ, pvt, pvt ltd, s a
    r l, s de rl de cv, sa, sa de cv, san tic as, sapi de cv, sarl, sas, sasu, sau, scrl, sdn bhd, se, se co
    kgaa, sia, sl, slu, sp k, sp zoo, spa, spc, sprl, srl, srl bv, srls, sro, tbk, teo, tic ltd sti, trust, uab,
    ug, ug co kg, vof, wll, yk, zao, zrt
""")
NOT_FORMS = frozenset(
    {
        "private",
        "ok",
        "uk",
        "bl",
        "ba",
        "da",
        "ec",
        "ev",
        "at",
        "et",
        "dat",
        "fop",
        "psu",
        "sd",
        "a",
        "ca",
        "eu",
        "is",
        "nl",
        "o",
    }
)
# legal forms of which only dots or a slash say that they are no country and no word: as written → spelt out
DOTTED_FORMS = tuple(
    (re.compile(pattern, re.IGNORECASE), whole)
    for pattern, whole in (
        (r"(?<!\w)e\.\s?u\.(?!\w)", " eingetragener unternehmer "),
        (r"(?<!\w)c\.\s?a\.(?!\w)", " compania anonima "),
        (r"(?<!\w)i/s(?!\w)", " interessentskab "),
    )
)
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
    bulgaria, ca, california, canada, capital, chile, china, colombia, czech, dach, danmark, demo, denmark,
    deutschland, division, dubai, east, egypt, emea, emirates, england, espana, eu, europa, europe, european,
    filiale, finland, foundation, france, franchise, germany, global, greece, group, groupe, grupa, grupo,
    gruppe, gruppo, hamburg, hellas, holding, holdings, hong, hungary, iberia, india, indonesia, international,
    invest, investments, ireland, israel, italia, italy, japan, kenya, kong, konzern, korea, latam, london,
    madrid, malaysia, mena, mexico, milano, munich, nederland, netherlands, niederlassung, nigeria, nl, nord,
    nordic, nordics, norge, north, norway, ost, osterreich, osterrich, pacific, parent, paris, peru,
    philippines, poland, polska, portugal, qatar, romania, russia, sandbox, saudi, schweiz, scotland, shanghai,
    singapore, south, spain, staging, stiftung, subsidiary, sud, suisse, suomi, sverige, sweden, switzerland,
    taiwan, test, texas, thailand, tokyo, training, trial, turkey, turkiye, uae, uk, ukraine, us, usa, ventures,
    verwaltung, verwaltungs, vienna, vietnam, wales, west, wien, worldwide, york, zealand, zurich,
    zweigniederlassung
""")
# where companies have branches: larger towns, of which a name may have one more than another
TOWNS = _listed("""
    aberdeen, achen, adana, adelaide, albany, alborg, albuqurqu, alicante, amman, amsterdam, angers, ankara,
    antalya, antwerp, antwerpen, arhus, athens, atlanta, auckland, augsburg, austin, baltimore, bangalore,
    bangkok, barcelona, bari, basel, beijing, beirut, belfast, belgrade, bengaluru, bergamo, bergen, bielefeld,
    bilbao, birmingham, bochum, bogota, boise, bologna, bombay, bonn, bordeaux, boston, bradford, brasilia,
    brasov, bratislava, braunschweig, breda, bremen, brescia, brighton, brisbane, bristol, brno, brugge,
    brussels, bruxelles, bucharest, bucuresti, budapest, buffalo, bursa, bydgoszcz, cairo, calgary, cambridge,
    campinas, canberra, cardiff, catania, chemnitz, chennai, chicago, christchurch, cincinnati, cleveland, cluj,
    cologne, columbus, copenhagen, cordoba, cork, coventry, curitiba, dallas, damascus, darmstadt, debrecen,
    delhi, denver, derby, detroit, dhabi, dijon, doha, dortmund, drammen, dresden, dublin, dubrovnik, duisburg,
    dundee, duren, dusseldorf, edinburgh, eindhoven, erfurt, erlangen, esbjerg, espoo, exeter, firenze,
    fortaleza, frankfurt, freiburg, furth, galway, gdansk, geelong, geneva, geneve, genova, gent, ghent,
    giessen, gijon, girona, glasgow, goteborg, gottingen, granada, graz, grenoble, groningen, guadalajara,
    guangzhou, gyor, hagen, haifa, halifax, hannover, hanoi, harlem, heidelberg, heilbronn, helsinki, hobart,
    houston, hyderabad, iasi, innsbruck, istanbul, izmir, jaipur, jakarta, jeddah, jena, johannesburg,
    jyvaskyla, karlsruhe, kassel, katowice, kiel, kiev, koblenz, kochi, kolkata, koln, konstanz, konya, krakow,
    kyiv, kyoto, lagos, lausanne, leeds, leicester, leiden, leipzig, leuven, liberec, lille, lima, limerick,
    linkoping, linz, lisboa, lisbon, liverpool, ljubljana, lodz, lubeck, lublin, ludwigshafen, lugano, luzern,
    lyon, magdeburg, mainz, malaga, malmo, manchester, manila, mannheim, marseille, mastricht, medellin,
    melbourne, memphis, miami, milan, milwaukee, minneapolis, minsk, modena, monchengladbach, monterrey,
    montpellier, montreal, moscow, moskva, mumbai, munchen, munster, murcia, nagoya, nagpur, nairobi, nancy,
    nantes, naples, napoli, nashville, newcastle, nicosia, nijmegen, nimes, norwich, nottingham, nurnberg,
    oakland, odense, oldenburg, olomouc, omaha, orebro, orlando, osaka, oslo, osnabruck, ostrava, ottawa, oulu,
    oxford, paderborn, padova, palermo, palma, pamplona, parma, passau, pecs, perth, philadelphia, phonix,
    pittsburgh, plymouth, plzen, portland, porto, portsmouth, potsdam, poznan, prag, pragu, praha, publa, pune,
    qubec, quito, raleigh, randers, recife, regensburg, reims, rennes, reutlingen, riga, riyadh, roma, rome,
    rosario, rostock, rotterdam, roun, sacramento, salvador, salzburg, santander, santiago, sarajevo,
    sarbrucken, seattle, seoul, sevilla, seville, sheffield, shenzhen, sibiu, siegen, skopje, sofia,
    southampton, stavanger, stockholm, strasbourg, stuttgart, sunderland, swansea, sydney, szczecin, szeged,
    tallinn, tampa, tampere, tarragona, thessaloniki, tijuana, tilburg, timisoara, tirana, torino, toronto,
    toulon, toulouse, trento, trier, trieste, tromso, trondheim, tucson, tulsa, tunis, turin, turku, ulm, umea,
    uppsala, utrecht, valencia, valladolid, vancouver, vanta, vasteras, venezia, verona, vicenza, vigo, villach,
    vilnius, warsaw, warszawa, washington, wellington, wels, wiesbaden, winnipeg, winterthur, wolfsburg,
    wroclaw, wuppertal, wurzburg, yokohama, zagreb, zaragoza, zwolle
""")
# of which many names consist: by themselves they tell nobody apart
EVERYDAY = _listed("""
    academy, advanced, agency, alliance, alpha, american, analytics, apex, apotheke, atlas, auto, bakery, bank,
    best, beta, blue, bridge, business, cafe, capital, car, care, center, central, church, city, clinic, cloud,
    club, company, compass, concept, connect, construction, consult, consulting, corporate, creative, data,
    delta, design, development, digital, direct, dynamics, eclipse, education, electric, elite, energy,
    engineering, enterprise, enterprises, event, events, excel, expert, express, falcon, finance, financial,
    first, food, foods, fusion, future, garage, general, global, green, harbor, health, home, horizon, hospital,
    hotel, house, impact, independent, industrial, industries, infinity, innovation, innovations, innovative,
    insight, insurance, integrated, international, it, laboratory, law, legal, link, logistics, logistik,
    management, marketing, matrix, media, medical, metro, mobile, modern, more, motors, museum, my, national,
    net, network, networks, new, nova, office, omega, one, online, optima, orion, our, park, partner, partners,
    people, pharmacy, phoenix, pioneer, planet, plus, point, post, power, premier, prime, pro, professional,
    project, properties, pulse, quality, quantum, quest, rapid, real, red, restaurant, retail, royal, school,
    security, select, service, services, shop, sigma, smart, software, solar, solution, solutions, source,
    spark, star, steel, strategic, studio, studios, summit, supply, support, synergy, system, systeme, systems,
    taxi, team, technic, technik, technology, telecom, titan, total, trade, trading, transport, travel, trust,
    union, united, unity, universal, value, vector, venture, vertex, vision, vista, web, work, works, world,
    zenith
""")
# what companies leave out themselves where they are short of room; none of it is a line of business
LEFT_OUT = _listed("""
    app, company, corporate, data, digital, enterprise, enterprises, industries, innovations, interactive,
    laboratories, net, network, networks, online, software, solution, solutions, studio, studios, system,
    systems, team, technology, web, works
""")
# a company that is called so and no more has many namesakes: the commonest of several countries, folded as names are
SURNAMES = _listed("""
    adams, ali, allen, andersen, anderson, andersson, baker, bauer, becker, bianchi, braun, brown, campbell,
    chen, clark, davies, davis, diaz, dubois, evans, fernandez, ferrari, fischer, fuchs, garcia, gomez,
    gonzalez, graf, green, gruber, gupta, hahn, hall, hansen, harris, hartmann, hernandez, hill, hofer,
    hoffmann, hofmann, horvat, horvath, huber, hughes, ivanov, jackson, jansen, jensen, johansen, johansson,
    johnson, jones, kaiser, kaya, keller, khan, kim, king, klein, koch, kohler, konig, korhonen, kovac, kovacs,
    kowalski, kramer, krause, krug, kruger, kumar, lang, lange, larsen, larsson, lee, lehmann, leroy, lewis, li,
    lopez, ludwig, maier, martin, martinez, mayer, mayr, meier, meijer, meyer, miller, mitchell, moore, moreau,
    morgan, morris, moser, muller, murphy, nagy, nelson, neumann, nguyen, nielsen, nilsson, novak, nowak, olsen,
    olsson, patel, pavlov, pedersen, peeters, pereira, perez, peters, petersen, petit, petrov, pichler, popescu,
    ramirez, reed, ricci, richard, richter, robert, roberts, robinson, rodriguez, romano, rossi, roth, russo,
    sanchez, santos, schafer, scherer, schmid, schmidt, schmitt, schmitz, schneider, scholz, schroder, schultz,
    schulz, schuster, schwarz, scott, sharma, silva, simon, singh, smirnov, smit, smith, steiner, stewart,
    svensson, szabo, tanaka, taylor, thomas, thompson, torres, toth, tran, turner, vargas, visser, vogel,
    wagner, walker, walter, wang, ward, weber, weiss, werner, white, williams, wilson, winkler, winter, wolf,
    wolff, wood, wright, yilmaz, young, zhang, zimmermann
""")
# short for: both are the longer one
ABBREVIATIONS = {
    "intl": "international", "int": "international", "natl": "national", "mfg": "manufacturing", "tech": "technology",
    "technologies": "technology", "bros": "brothers", "gebr": "gebruder", "assoc": "associates", "svc": "services",
    "svcs": "services", "mgmt": "management", "grp": "group", "hldgs": "holdings", "hldg": "holding", "sys": "systems",
    "dev": "development", "eng": "engineering", "univ": "university", "uni": "university", "universitat": "university",
    "universite": "university", "universita": "university", "universidad": "university",
    "universiteit": "university", "universitet": "university", "uniwersytet": "university",
    "inst": "institute", "ctr": "center",
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
    10minutemail.com, 10minutemail.net, 126.com, 163.com, abv.bg, alice-dsl.net, alice.it, aliyun.com,
    ameritech.net, amorki.pl, aon.at, appleid.com, arcor.de, arcor.net, atlas.cz, att.net, autograf.pl, azet.sk,
    bbox.fr, bellsouth.net, bezeqint.net, biglobe.ne.jp, bigmir.net, bigpond.com, bk.by, bk.ru, bluemail.ch,
    bluewin.ch, blueyonder.co.uk, bol.com.br, broadpark.no, bsnl.in, btconnect.com, btinternet.com,
    btopenworld.com, buziaczek.pl, cableone.net, casema.nl, cegetel.net, centrum.cz, centrum.sk,
    centurylink.net, charter.net, chello.at, chello.nl, citromail.hu, clix.pt, club-internet.fr, cock.li,
    cogeco.ca, comcast.net, comhem.se, cox.net, cytanet.com.cy, daum.net, dbmail.com, dir.bg, disroot.org,
    docomo.ne.jp, dodo.com.au, dr.com, duck.com, earthlink.net, eastlink.ca, eclipso.de, eim.ae, eircom.net,
    elisanet.fi, email.com, email.cz, email.de, emailn.de, embarqmail.com, emirates.net.ae, eml.cc, ewe.net,
    ewetel.net, excite.com, ezweb.ne.jp, fastmail.com, fastmail.fm, forthnet.gr, foxmail.com, free.fr,
    freemail.gr, freemail.hu, freenet.at, freenet.de, frontiernet.net, gawab.com, gazeta.pl, gbg.bg, getmail.no,
    globalnet.hr, globo.com, globomail.com, guerrillamail.com, hanmail.net, hccnet.nl, hetnet.nl, hey.com,
    hispeed.ch, hol.gr, home.nl, home.se, hushmail.com, hushmail.me, i.ua, iafrica.com, ig.com.br, iinet.net.au,
    in.gr, inbox.by, inbox.com, inbox.lv, inbox.ru, indiatimes.com, inet.hr, inet.hu, inode.at, int.pl,
    interia.eu, interia.pl, internet.lu, internet.ru, inwind.it, iol.it, iol.pt, ireland.com, jubii.dk,
    juno.com, k.ro, kabelmail.de, keemail.me, kolumbus.fi, kpnmail.nl, kpnplanet.nl, laposte.net, libero.it,
    list.ru, luukku.com, lycos.com, lyse.net, mac.com, mail.bg, mail.by, mail.com, mail.de, mail.dk, mail.ee,
    mail.ro, mail.ru, mailbox.org, mailbox.sk, mailfence.com, mailo.com, me.com, meta.ua, mindspring.com,
    mobilixnet.dk, mts.net, mweb.co.za, mynet.com, myself.com, nate.com, naver.com, net.hr, netactive.co.za,
    netcologne.de, netplus.ch, netscape.net, netvigator.com, netzero.com, netzero.net, neuf.fr, nifty.com,
    nordnet.fr, ntlworld.com, numericable.fr, o2.pl, o2mail.de, o2online.de, oi.com.br, onet.eu, onet.pl,
    online.de, online.no, onlinehome.de, op.pl, optonline.net, optusnet.com.au, orange.fr, osnanet.de,
    otenet.gr, pacbell.net, peoplepc.com, planet.nl, pm.me, pobox.com, pobox.sk, poczta.fm, post.cz, posta.ro,
    posteo.de, privaterelay.appleid.com, prodigy.net, prodigy.net.mx, proton.me, pt.lu, q.com, qatar.net.qa,
    qq.com, quickline.ch, quicknet.nl, r7.com, rambler.ru, rdslink.ro, rediffmail.com, riseup.net,
    roadrunner.com, rogers.com, runbox.com, sapo.pt, saunalahti.fi, sbcglobal.net, scarlet.be, seznam.cz,
    seznam.sk, sfr.fr, shaw.ca, sify.com, sina.cn, sina.com, siol.net, sky.com, skynet.be, snet.net,
    so-net.ne.jp, softbank.ne.jp, sohu.com, spray.se, startmail.com, stofanet.dk, stonline.sk, suddenlink.net,
    sunrise.ch, suomi24.fi, superig.com.br, superonline.com, swbell.net, swipnet.se, sympatico.ca, t-online.de,
    t-online.hu, talktalk.net, tdc.dk, tds.net, tele2.nl, tele2.se, telefonica.net, telenet.be, telia.com,
    telkomsa.net, telus.net, temp-mail.org, terra.com.br, terra.es, tin.it, tiscali.co.uk, tiscali.cz,
    tiscali.it, tlen.pl, tm.net.my, tom.com, ttmail.com, tut.by, tuta.com, tuta.io, tutamail.com, ukr.net,
    unitybox.de, uol.com.br, upcmail.nl, usa.net, utanet.at, verizon.net, versanet.de, versatel.nl,
    versateladsl.be, videotron.ca, vip.hr, virgilio.it, virginmedia.com, vivaldi.net, vo.lu, vodafone.de,
    vodafonemail.de, vodamail.co.za, volja.net, volny.cz, voo.be, vp.pl, vsnl.com, vsnl.net, vtxnet.ch,
    walla.co.il, wanadoo.fr, web.de, webmail.co.za, westnet.com.au, windowslive.com, windstream.net, wowway.com,
    wp.pl, xs4all.nl, xtra.co.nz, ya.ru, yeah.net, yopmail.com, yopmail.fr, ziggo.nl, zipmail.com.br, zoho.com,
    zoho.eu, zonnet.nl, zoznam.sk
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
