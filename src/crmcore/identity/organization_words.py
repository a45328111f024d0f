"""Words that many organizations share, in many languages: legal forms, kinds of business, places, signs of number.

Invariant: tables only. A word is looked up folded as it is written, and then in Latin letters; what is in none of the
tables is taken for a word that tells the organization from others.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from crmcore.identity.latin import latin
from crmcore.values.text import fold

# Who answers for its debts, roughly: companies with limited liability, with shares, partnerships, others.
_LEGAL_FORMS = """
limited: ltd limited ltda limitada llc lc ooo ооо тоо тов too tov gmbh mbh ggmbh sarl sarlau eurl srl srls bv bvba
limited: sprl sro doo ood eood
limited: oou kft uab sia ou oue spzoo zoo bhd berhad sdn sendirian pvt private pty proprietary pte lda sl slu epe ике
limited: mchj mmc shpk ehf hf
limited: бм בעמ 有限公司 有限责任公司 有限會社 有限会社 유한회사 合同会社 goudou godo yugen จำกัด ذمم شذمم емж шпк
limited: д.о.о lllp w.l.l wll llp lp kd
limited: "limited liability company" "private limited" "limited company" "co ltd" "company limited"
limited: "общество с ограниченной ответственностью"
limited: "товариство з обмеженою відповідальністю" "gesellschaft mit beschrankter haftung"
limited: "societe a responsabilite limitee"
limited: "sociedad de responsabilidad limitada" "societa a responsabilita limitata"
limited: "spolka z ograniczona odpowiedzialnoscia" "sp z oo" "sp zoo"
limited: "spol s ro" "obshchestvo s ogranichennoi otvetstvennostyu" "drustvo s ogranicenom odgovornoscu"
limited: "limited sirketi" "ltd sti" "limited partnership"
limited: "limited liability partnership" "besloten vennootschap" "sdn bhd" "s de rl" "s de rl de cv"
limited: "товарищество с ограниченной ответственностью"
shares: plc inc incorporated corp corporation ag sa sas sasu spa se ab asa as oy oyj nv ad jsc pjsc ojsc cjsc oao оао
shares: zao зао пао pao ао ao ат at
shares: прат пат пуат pat prat kk kkk dd tbk persero saog saoc pjs psc qsc saca saic sab sae jsb akb акб ks nyrt zrt
shares: rt as a.s asi sti sc scpa pcl
shares: aktiengesellschaft aktiebolag aktieselskab osakeyhtio 股份有限公司 股份公司 株式会社 ㈱ 주식회사 kabushiki
shares: kabushikikaisha αε ae ανωνυμη มหาชน شمع
shares: "joint stock company" "open joint stock company" "closed joint stock company" "public joint stock company"
shares: "public limited company"
shares: "акционерное общество" "открытое акционерное общество" "закрытое акционерное общество"
shares: "публичное акционерное общество" "sociedad anonima"
shares: "societe anonyme" "societa per azioni" "sociedade anonima" "naamloze vennootschap" "spolka akcyjna"
shares: "akciova spolecnost" "anonim sirketi"
shares: "kabushiki kaisha" "sa de cv" "sab de cv" "aktsionernoe obshchestvo" "приватне акціонерне товариство"
shares: "публічне акціонерне товариство"
shares: "непубличное акционерное общество" "public company limited" "joint stock" "incorporated company"
shares: "société par actions" "perseroan terbatas"
partners: kg kgaa ohg gbr snc vof cv scs sca eg ug "gmbh co kg" "co kg" "gmbh co" ks is hb k.g
other: ev asbl vzw onlus ngo npo гуп фгуп муп гп fgup gup dp дп ип ip чп пт pt тд1 ano ано нко na fze fzco fzc fzllc
other: dmcc jlt est
other: "федеральное государственное унитарное предприятие" "государственное унитарное предприятие"
other: "индивидуальный предприниматель" "free zone company"
"""

# Words that a name may have or leave out. One idea a line, its name first.
_EMPTY = """
company: co company companies compagnie cie compania companhia kompaniya компания компании компанія kompaniia
company: kompania firma фирма фірма firm entreprise
company: empresa предприятие підприємство predpriyatie enterprise enterprises şirketi sirketi sirket شركة شرکت kaisha
company: 公司 会社 회사 บริษัท חברת חברה kampani societa
company: societe gesellschaft sociedad company's spolka компани ընկերություն კომპანია εταιρεια εταιρια etaireia
company: compañía perusahaan cong ty
group: group groupe gruppe grupo gruppo grupa группа група grp groups koncern konzern concern концерн 集团 集團
group: グループ 그룹 grupp groep مجموعة gruppa grup ομιλος guruup
holding: holding holdings холдинг холдингс hldg hldgs holdco beteiligungs beteiligung controladora 控股
holding: ホールディングス 홀딩스 قابضة القابضة
corporation: corporation corp корпорация корпорація korporatsiya korporation corporacion corporacao
the: the of and und et y e de del des du da do dos das di la le las los el les der die das den dem van von for fur
the: für pour para per a an et al & i и та і
the: у в на по с za и в и od z w ve ja og och en het een zu zum zur pri при the της του των η ο το και dari dan
"""

# What organizations do or are. One idea a line, its name first.
_KINDS = """
bank: bank banco banque banca bankasi bankas банк банка banka bankhaus bankers banking 银行 銀行 은행 بنك مصرف بانک
bank: τραπεζα trapeza בנק बैंक ธนาคาร ბანკი ბანკის բանկ pankki pank banki kumpas
trade: trading trade trader traders handel handels handelsgesellschaft comercial comercio commerciale commerce
trade: торговый торговая торговое торговля trgovina ticaret 贸易 貿易 商贸 商社 무역 تجارة التجارية للتجارة tijara
trade: kereskedelmi dagang niaga thuong mai torgovyi torgovaya
house: house haus maison casa dom дом дім 楼 بيت
oil: oil neft нефть нефтяная нефтегазовая petroleum petrol petroleos petroleo olie erdol 石油 نفط النفط petroliam
oil: minyak нафта naft
gas: gas газ gaz doğalgaz 天然气 燃气 ガス 가스 غاز gas's
energy: energy energie energia energetika энергия энергетика energo energetic 能源 エネルギー 에너지 طاقة enerji
energy: energi
power: power elektrik electricity 电力 電力 전력 strom кува
electric: electric electrical elec elektro elektrik elettrica electrico электро электрик электрическая 电气 電気 電機
electric: 전기
electronics: electronics electronic elektronik electronica электроника электронная 电子 電子 전자 إلكترونيات
technology: technology technologies tech technological tecnologia tecnologias technologie technologien технологии
technology: технология технологий tekhnologii teknoloji 技术 科技 技術 テクノロジー 기술 테크놀로지 تقنية تكنولوجيا
technology: teknologi
industry: industry industries industrial ind inds industrie industrias industria industriel промышленный промышленная
industry: промышленность промышленности industri sanayi 工业 實業 实业 工業 産業 산업 공업 صناعة صناعات الصناعية prom
manufacturing: manufacturing mfg manufacture manufacturers manufaktur fabrik fabrica fabbrica производство
manufacturing: производственное производственная 制造 製造 製作所 제조 imalat
factory: plant factory works werk werke завод zavod комбинат kombinat фабрика 厂 工場 공장 usine
construction: construction constructions constructora costruzioni bau baugesellschaft строительство строительная
construction: строительный строй stroi insaat inşaat 建设 建筑 建設 건설 إنشاءات مقاولات stroitelnaya pembinaan
construction: budowlane
engineering: engineering eng engrg engineers ingenieria ingegneria ingenieur инжиниринг 工程 エンジニアリング
engineering: 엔지니어링 هندسة muhendislik maschinenbau
shipping: shipping ship schiffahrt reederei naviera navigation navigazione судоходная судоходство пароходство 航运
shipping: 海运 海運 해운 شحن ملاحة denizcilik marine maritime maritima lines line pelayaran
transport: transport transportation transportes trasporti spedition транспорт транспортная 运输 運輸 운송 نقل
transport: nakliyat pengangkutan
logistics: logistics logistic logistica logistik логистика логистик 物流 물류 lojistik
insurance: insurance insurances assurance assurances versicherung versicherungen seguros assicurazioni страхование
insurance: страховая 保险 保険 보험 تأمين sigorta takaful
investment: investment investments invest investments investissement inversiones investimentos инвест инвестиции
investment: инвестиционная инвестиций 投资 投資 투자 استثمار yatirim investasi capital капитал kapital
finance: finance financial finanz financiera finanziaria финанс финансовая финансы 金融 财务 금융 مالية التمويل
finance: finansal
fund: fund funds fonds fondo fondo фонд fond 基金 펀드 صندوق fonu
brothers: brothers bros gebruder gebrueder freres fratelli hermanos bratya братья hnos
sons: sons son sohne soehne fils figli hijos сыновья zonen
partners: partners partner partnership partneres партнеры партнер socios
services: services service svc svcs servicios servizi serviços servicos dienste dienstleistungen услуги сервис 服务
services: サービス 서비스 خدمات hizmetleri servis
solutions: solutions solution loesungen losungen soluciones решения
systems: systems system sys sistemas sistemi systeme системы система 系统 システム 시스템 نظم sistem
consulting: consulting consultancy consultants consult beratung consultoria консалтинг 咨询 컨설팅 danismanlik
management: management mgmt managment verwaltung gestion управление менеджмент управляющая 管理 관리 إدارة yonetim
development: development dev devt desarrollo developpement entwicklung развитие развития 发展 開発 开发 개발 تطوير
development: تنمية pembangunan
research: research forschung investigacion recherche исследовательский исследования научно 研究 연구 بحوث araştırma
research: arastirma penyelidikan
institute: institute inst institut instituto istituto институт 研究所 研究院 연구소 معهد enstitusu institution
university: university univ universitat universitaet universite universidad universidade universita университет
university: университета 大学 大學 대학교 대학 جامعة دانشگاه universiteti universitas uniwersytet universiteit
university: πανεπιστημιο
school: school sch schl schools schule escuela ecole scuola школа школы 学校 學校 학교 مدرسة okulu sekolah szkola
hospital: hospital hosp krankenhaus hopital ospedale больница 医院 病院 병원 مستشفى hastanesi
ministry: ministry ministerio ministere ministerium ministero министерство міністерство 部 省 وزارة bakanligi
ministry: kementerian
defense: defense defence defensa verteidigung difesa обороны оборона оборонная 国防 防衛 국방 الدفاع دفاع savunma
defense: pertahanan
government: government govt regierung gobierno правительство 政府 정부 حكومة
state: state staatliche etat estatal estado государственный государственная государственное государственное державний
state: 国家 國家 国営 국가 gosudarstvennyi gosudarstvennaya staat
national: national natl nacional nationale nazionale национальный национальная национальное нк nk национальная 国立
national: 국립 وطنية الوطني الوطنية ملی εθνικη ulusal nasional natsionalnyi nat narodowy
central: central centrale zentral zentrale центральный центральная centralny 中央 중앙 المركزي مرکزی markazi merkez
central: مركزي
commercial: commercial commerciale kommerz kommercheskii коммерческий 商业 商業 상업 تجاري التجاري
agricultural: agricultural agriculture agro agrar agricola agricole сельскохозяйственный аграрный агро 农业 農業 농업
agricultural: زراعي tarim pertanian
international: international intl internacional internationale internazionale международный международная
international: международное міжнародний internat int 国际 國際 国際 インターナショナル 국제 인터내셔널 دولية الدولية
international: عالمية uluslararasi mezhdunarodnyi antarabangsa
global: global globale world worldwide welt monde mundial мир мировой глобал 环球 全球 世界 글로벌 グローバル عالمي
general: general generale generales allgemeine генеральный общий 总 総合 عامة العامة
united: united vereinigte unies unidos объединенная объединенный объединённая unita 联合 連合 연합 متحدة المتحدة
royal: royal koninklijke royale konigliche koenigliche real kongelige kungliga королевский الملكية diraja
association: association assn assoc asociacion associazione verband verein ассоциация союз 协会 協会 협회 جمعية
association: dernek dernegi persatuan assocs associates
society: society soc общество gesellschaft' 学会
foundation: foundation fdn stiftung fundacion fondation fondazione fundacja 基金会 財団 재단 مؤسسة vakfi yayasan
center: center centre ctr cntr zentrum centro центр 中心 センター 센터 مركز merkezi pusat
laboratory: laboratory laboratories lab labs laboratoire laboratorio laborator лаборатория лаборатории 实验室 研究室
pharma: pharmaceutical pharmaceuticals pharma pharm farma farmaceutica pharmazie фарма фармацевтическая 制药 製薬
pharma: 药业 제약 ilac
chemical: chemical chemicals chem chimie chemie quimica химическая химия хим 化工 化学 화학 كيماويات kimya
steel: steel stahl acero acier сталь 钢铁 製鉄 製鋼 철강 제철 حديد celik
metal: metal metals metall metallurgical металл металлургический 金属 금속 معادن
mining: mining mines minera bergbau горнодобывающая горный 矿业 鉱業 광업 تعدين madencilik
heavy: heavy schwer тяжелый 重 重工業 重工 중공업
motor: motor motors moteurs motoren motori auto automobile automobiles automotive automotriz автомобиль автомобильный
motor: авто 汽车 自動車 자동차 سيارات otomotiv avto
air: air airline airlines airways aviation aereas lineas aeroport авиа авиалинии авиакомпания авиация авиационная
air: 航空 항공 طيران خطوط havayollari hava aviastroitelnaya авиастроительная aircraft هواپیمایی ایر
shipbuilding: shipbuilding судостроительная судостроение 造船 조선 schiffbau tersane
security: security securite seguridad sicherheit охрана безопасность охранное 安全 보안 أمن guvenlik чоп
military: military militar militaire военный военная военное mil 军事 군사 عسكرية
private: pmc чвк "private military company"
software: software программное софт 软件 ソフトウェア 소프트웨어 yazilim
digital: digital digitale цифровой 数码 数字 デジタル 디지털
information: information info informatique informatica информационный информация 信息 情報 정보 معلومات bilgi
telecom: telecom telecommunications telekom telecomunicaciones телеком телекоммуникации связь 电信 通信 통신 اتصالات
telecom: telekomunikasi communications
media: media medien medios медиа 传媒 미디어 إعلام
food: food foods lebensmittel alimentos alimentaire продукты пищевая 食品 식품 أغذية gida
export: export exports экспорт 出口 輸出 수출 تصدير ihracat
import: import imports импорт 进口 輸入 수입 استيراد ithalat
real: realty immobilien inmobiliaria immobiliare immobiliere недвижимость 地产 不動産 부동산 عقارات gayrimenkul
estate: estate estates property properties
hotel: hotel hotels hotelera отель гостиница 酒店 ホテル 호텔 فندق otel
market: market markets markt mercado рынок маркет 市场 市場 시장 سوق
supply: supply supplies снаб поставка
products: products product produkte productos продукт продукция 产品 製品 제품 منتجات
republic: republic republik republique republica республика республики 共和国 공화국 جمهورية جمهوری
islamic: islamic islami islamique исламский 伊斯兰 إسلامية اسلامی الإسلامية الاسلامي الاسلامية
front: front jabhat جبهة фронт cephesi
party: party partei partido parti партия حزب 党 당 partai
army: army armee ejercito армия جيش 军 ordu tentara
movement: movement bewegung movimiento mouvement движение حركة hareketi harakat
agency: agency agentur agencia agence агентство 代理 وكالة ajansi
department: department dept departamento департамент 部门
committee: committee comite komitee комитет 委员会 委員会 위원회 لجنة
council: council consejo conseil rat совет مجلس
directorate: directorate direktion дирекция
organization: organization organisation org organizacion организация 组织 機構 조직 منظمة
north: north northern nord norte северный 北 شمال
south: south southern sud sur южный 南 جنوب
east: east eastern ost este восточный 东 東 شرق
west: west western ouest oeste западный 西 غرب
saint: saint st ste san santa sankt святой
first: erste premier primera первый 第一 أول
"""
_PLACES = """
russia: russia russian russe russisch rusia россии россия российский российская российское rossii rossiya rossiyskii
russia: russland русский rus 俄罗斯 ロシア 러시아 روسيا
ukraine: ukraine ukrainian украина украины україни україна ukraina ucrania
belarus: belarus belarusian беларусь белорусский белоруссия
china: china chinese chine zhongguo sino китай китайский китая 中国 中國 중국 الصين
beijing: beijing peking 北京
shanghai: shanghai 上海
shenzhen: shenzhen 深圳
guangdong: guangdong 广东
guangzhou: guangzhou 广州
hangzhou: hangzhou 杭州
nanjing: nanjing 南京
dandong: dandong 丹东
tianjin: tianjin 天津
hongkong: hongkong 香港
japan: japan japanese nippon nihon japon япония 日本 일본 اليابان
tokyo: tokyo 東京 东京
korea: korea korean coree корея 韩国 한국 조선 كوريا
taiwan: taiwan taiwanese 台湾 台灣 대만
india: india indian inde indien bharatiya индия भारत भारतीय 印度 الهند
iran: iran iranian иран иранский 伊朗 ایران إيران
iraq: iraq iraqi ирак العراق
syria: syria syrian syrie siria syrien сирия سوريا السورية سورية
egypt: egypt egyptian egypte misr египет مصر المصري
saudi: saudi السعودية السعودي سعودي
kuwait: kuwait kuwaiti الكويت الكويتي kuweyt
emirates: emirates emirati الإمارات uae
dubai: dubai دبي дубай
qatar: qatar qatari قطر
turkey: turkey turkish turkiye turk turkei turquie турция турецкий تركيا
germany: germany german deutschland deutsche deutscher allemagne alemania германия немецкий 德国
france: france french francaise francais франция французский 法国
britain: britain british uk англия британский
england: england english
spain: spain spanish espana espanola espanol испания
italy: italy italian italia italiana италия
greece: greece greek ellas hellas ελλαδος ελλαδα ellados hellenic греция
austria: austria austrian osterreich oesterreich
vienna: vienna wien
switzerland: switzerland swiss suisse schweiz швейцария
poland: poland polish polski polska польша
netherlands: netherlands dutch nederland nederlandse
sweden: sweden swedish svenska sverige
america: america american americas usa us америка американский
canada: canada canadian
mexico: mexico mexican mexicana мексика
brazil: brazil brazilian brasil brasileira brasileiro бразилия
chile: chile chilean
venezuela: venezuela venezolana
argentina: argentina argentine
cuba: cuba cuban cubana
kazakhstan: kazakhstan kazakh казахстан казахстана
georgia: georgia georgian საქართველოს საქართველო грузия
armenia: armenia armenian հայաստան армения
azerbaijan: azerbaijan azerbaycan азербайджан
moscow: moscow moskva москва московский московская moskovskii
petersburg: petersburg петербург петербургский
kiev: kiev kyiv киев київ
indonesia: indonesia indonesian индонезия
malaysia: malaysia malaysian
thailand: thailand thai ประเทศไทย
vietnam: vietnam vietnamese viet
singapore: singapore 新加坡
pakistan: pakistan pakistani پاکستان
africa: africa african afrique африка
europe: europe european europa euro европа европейский
asia: asia asian азия
pacific: pacific тихоокеанский
atlantic: atlantic атлантический
middle_east: mideast
"""
LOOSE_KINDS = frozenset(
    "bank technology international industry trade house services solutions systems global national state general "
    "organization association partners investment management consulting manufacturing factory".split()
)
"""Kinds that a name leaves out as easily as it has them."""

NUMBER_SIGNS = frozenset("no nr num number numero nº n° № nomor ном номер 第 号 号店 #".split())
ROMAN: Mapping[str, str] = {
    "ii": "2", "iii": "3", "iv": "4", "v": "5", "vi": "6", "vii": "7", "viii": "8", "ix": "9", "x": "10", "xi": "11",
    "xii": "12", "xiii": "13", "i": "1",
}  # fmt: skip
ORDINALS: Mapping[str, str] = {
    "first": "1", "1st": "1", "second": "2", "2nd": "2", "third": "3", "3rd": "3", "fourth": "4", "4th": "4",
    "fifth": "5", "5th": "5", "sixth": "6", "6th": "6", "seventh": "7", "7th": "7", "eighth": "8", "8th": "8",
    "ninth": "9", "9th": "9", "tenth": "10", "10th": "10", "one": "1", "two": "2", "three": "3", "four": "4",
    "первый": "1", "второй": "2", "третий": "3",
}  # fmt: skip
AMBIGUOUS_FORMS = frozenset(
    "ao as sa co ag se kg ab nv cv pt oy ad at ae ev sc sl is dd kd ip na est ug eg rt hf ou hb too sia sas spa ano dp "
    "ks pat prat epe doo pte ап тд lp lc kk est ama asi sti".split()
)
"""Legal forms that are also words or initials: taken for forms at the beginning or the end of a name only."""


def _table(text: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for line in text.strip().split("\n"):
        name, _, words = line.partition(": ")
        quoted = words.split('"')
        for phrase in quoted[1::2]:
            found.setdefault(fold(phrase), name)
        for word in " ".join(quoted[::2]).split():
            written = fold(word)
            if written:
                found.setdefault(written, name)
    for written in tuple(found):
        if not written.isascii():
            found.setdefault(latin(written), found[written])
    return found


@cache
def legal_forms() -> Mapping[str, str]:
    """The family of every legal form, by its folded words.

    >>> legal_forms()["gmbh"], legal_forms()["joint stock company"]
    ('limited', 'shares')
    """
    return _table(_LEGAL_FORMS)


@cache
def empty_words() -> Mapping[str, str]:
    """Words that a name may have or lack.

    >>> empty_words()["холдинг"]
    'holding'
    """
    return _table(_EMPTY)


@cache
def kinds() -> Mapping[str, str]:
    """Words for what an organization does or is, in any language, under one name.

    >>> kinds()["банк"], kinds()["은행"]
    ('bank', 'bank')
    """
    return _table(_KINDS)


@cache
def places() -> Mapping[str, str]:
    """Countries and large cities, with their adjectives.

    >>> places()["syrian"], places()["中国"]
    ('syria', 'china')
    """
    return _table(_PLACES)
