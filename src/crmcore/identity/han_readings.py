"""How Chinese characters of names are read outside Mandarin, and which of them are one character written in two ways.

Invariant: tables only; a character that is in none is read in Mandarin and stands for itself. Readings are Latin and
folded, likeliest first.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product
from typing import NamedTuple

# Traditional and Japanese forms beside the simplified one, for characters of names.
_TRADITIONAL = (
    "澤沢東陳張趙劉楊黃吳孫馬葉鄭馮許韓鄧蕭蔣齊齋斎斉廣広國龍竜華偉麗蘭剛強鐵鉄鋼銀錢軍運遠達義興學学會会"
    "長門開關関雲電買賣雙寶宝輝耀榮栄樂楽樹橋樺濤漢潔濟済瀧滝爾爭產産發発盧蘆禮礼萬蒼蘇藝贊貴賀賢賴頼車轉"
    "邊辺邊鄰郷鄉鐘陽陰際雞霽靜静韋順頤顏顔願飛鳳鴻鵬麥點龐龜亀盛總総紅純綱維網緒緣縣県繼継續続聖聯聰聲職"
    "肅脩與興舉處処號號術衛製複見規視覺親計訓詩誠語説説課調論謝謙證識護讓豐貝負財貢貨貿費資質輕輪農連進遜"
    "遙選邱鄔銘銳鋒錦錢鎮鑫閔間閣陸隆雄電靈韻頌頭類馮駱驍魯鮑鶴鷹齡勳勲區協單參參員團圓壽奮媽嬌孟寧實寬對"
    "導島崗嶺師帥帶幫廠廳彥彦徑從復恆恒悅惠慶懷應戰戲戶択擇攝數斷時晉晋曉暁曆曾條業極楓標樓樣機檢歐欽歲歷"
    "歸殺氣氣沒淺浅淵渕湯準滅滿濱浜瑋瓊環畢畫異當療皓盡監眾睿碩確祿禎稅種穎穩積筆節範築簡籃紀約納級細終組"
    "給統經綠緊緯縱績織羅習聞脈腦膽臨舊艷芻莊蓮蔭藍虛蟲補裝詹誼諾謀譚讚豔貞趨躍軒輔辦遊過邁郵鄒醫釋針鈞鈴"
    "錫鍵鎖閃問閱隊隨雖離難靄頂項預領頻顧颯飄飯館駿騰驗"
)
_SIMPLIFIED = (
    "泽泽东陈张赵刘杨黄吴孙马叶郑冯许韩邓萧蒋齐斋斋齐广广国龙龙华伟丽兰刚强铁铁钢银钱军运远达义兴学学会会"
    "长门开关关云电买卖双宝宝辉耀荣荣乐乐树桥桦涛汉洁济济泷泷尔争产产发发卢芦礼礼万苍苏艺赞贵贺贤赖赖车转"
    "边边边邻乡乡钟阳阴际鸡霁静静韦顺颐颜颜愿飞凤鸿鹏麦点庞龟龟盛总总红纯纲维网绪缘县县继继续续圣联聪声职"
    "肃修与兴举处处号号术卫制复见规视觉亲计训诗诚语说说课调论谢谦证识护让丰贝负财贡货贸费资质轻轮农连进逊"
    "遥选邱邬铭锐锋锦钱镇鑫闵间阁陆隆雄电灵韵颂头类冯骆骁鲁鲍鹤鹰龄勋勋区协单参参员团圆寿奋妈娇孟宁实宽对"
    "导岛岗岭师帅带帮厂厅彦彦径从复恒恒悦惠庆怀应战戏户择择摄数断时晋晋晓晓历曾条业极枫标楼样机检欧钦岁历"
    "归杀气气没浅浅渊渊汤准灭满滨滨玮琼环毕画异当疗皓尽监众睿硕确禄祯税种颖稳积笔节范筑简篮纪约纳级细终组"
    "给统经绿紧纬纵绩织罗习闻脉脑胆临旧艳刍庄莲荫蓝虚虫补装詹谊诺谋谭赞艳贞趋跃轩辅办游过迈邮邹医释针钧铃"
    "锡键锁闪问阅队随虽离难霭顶项预领频顾飒飘饭馆骏腾验"
)
_ONE_FORM = str.maketrans(_TRADITIONAL, _SIMPLIFIED)


def _table(text: str) -> dict[str, tuple[str, ...]]:
    """Characters and their readings; a character that stands twice has the readings of both."""
    found: dict[str, tuple[str, ...]] = {}
    for item in text.split():
        chars, _, readings = item.partition(":")
        found[chars] = tuple(dict.fromkeys((*found.get(chars, ()), *readings.split(","))))
    return found


_SURNAMES: Mapping[str, tuple[str, ...]] = _table("""
李:li,lee,yi,rhee,ri,ly,i,lie 王:wang,wong,ong,heng 张:zhang,chang,cheung,cheong,teo,jang,truong,tiong
刘:liu,lau,low,yoo,ryu,luu 陈:chen,chan,tan,ting,jin,tran,chin 杨:yang,yeung,yeo,young,duong
黄:huang,wong,hwang,ng,oei,hoang,huynh,ooi 赵:zhao,chao,chiu,cho,jo,trieu,teo 吴:wu,ng,goh,oh,o,ngo,woo
周:zhou,chou,chow,chew,joo,chau,chu 徐:xu,hsu,chui,seo,tsui,su,tu 孙:sun,suen,son,sohn,ton 马:ma,mah,beh
朱:zhu,chu,choo,ju,joo 胡:hu,woo,wu,ho 林:lin,lam,lim,im,rim,lum 郭:guo,kuo,kwok,quek,kwak,quach,kwek
何:he,ho,ha,hoe 高:gao,kao,ko,go,kou,cao 梁:liang,leung,leong,yang,luong,neo,nio
郑:zheng,cheng,tay,jung,jeong,chung,trinh,chang 罗:luo,lo,law,loh,na,la 宋:song,sung,soong,tong
谢:xie,hsieh,tse,chia,cheah,ta,sa 唐:tang,tong,teng,dang,duong 韩:han,hon,hahn 曹:cao,tsao,cho,jo,tao
许:xu,hsu,hui,koh,khoo,huh,heo,hur,hua 邓:deng,teng,tang,dang 冯:feng,fung,pang,phung
曾:zeng,tseng,tsang,chan,tang,jeung 程:cheng,ching,thia,trinh 蔡:cai,tsai,choi,choy,chua,chae,thai,tsoi
彭:peng,pang,phang,banh 潘:pan,poon,phua,phan,ban 袁:yuan,yuen,won,vien 于:yu,yue 董:dong,tung,dang
余:yu,yee,yue,du,yeo,ee 苏:su,so,soh,to 叶:ye,yeh,yip,yap,ip,diep 吕:lu,lui,leu,yeo,lyu,lue 魏:wei,ngai,wi,nguy
蒋:jiang,chiang,tsang,jang,tuong,cheung 田:tian,tien,tin,jeon,dien 杜:du,tu,to,doh,do
丁:ding,ting,teng,jung,jeong,dinh,chung 沈:shen,shum,sim,shim,sim,tham,sum 姜:jiang,chiang,kang,keung,gang,khuong
范:fan,phan,pham,beom,fam 江:jiang,kong,kang,giang,kiang 傅:fu,foo,poh,pho 钟:zhong,chung,cheong,jong,chong
卢:lu,lo,loh,noh,roh,lou,no 汪:wang,wong,ong 戴:dai,tai,tay,dae,doi 崔:cui,tsui,choi,choe,chui,thoi
任:ren,jen,yam,im,lim,yim,nham 陆:lu,luk,loke,yook,luc 廖:liao,liu,liew,lieu 姚:yao,yiu,yeo,dieu,yew
方:fang,fong,bang,phuong,png,hong 金:jin,kim,kam,gim,chin 邱:qiu,chiu,yau,khoo,koo,khau 夏:xia,hsia,ha,har,hah
谭:tan,tam,tham,dam 韦:wei,wai,vi 贾:jia,chia,ka,ga,gia 邹:zou,chow,chau,tsou,choo 石:shi,shih,shek,seok,suk,thach
熊:xiong,hung,hiong 孟:meng,mang,maeng 秦:qin,chin,chun,tan 阎:yan,yen,yim 薛:xue,hsueh,sit,seol,tiet
侯:hou,hau,how,hau 雷:lei,lui,loi 白:bai,pai,paik,baek,baik,bach,pak 龙:long,lung,loong 段:duan,tuan,tuen,doan
史:shi,shih,sze,su 黎:li,lai,le 贺:he,ho 顾:gu,koo,ku,co 习:xi,hsi,si 毛:mao,mo,mou,mau 郝:hao,kok
龚:gong,kung,kong,cung 邵:shao,shiu,siu,so,thieu 万:wan,man,van 尹:yin,yoon,yun,won,doan 洪:hong,hung,ang,hoong
裴:pei,bae,pae,bui 权:quan,kwon,gwon,kuon 朴:park,pak,bak,piao,pu 申:shen,shin,sin,than 安:an,ahn,on
柳:liu,ryu,yoo,yu,lieu 文:wen,moon,mun,man,van 吉:ji,gil,kil 阮:ruan,nguyen,yuen 武:wu,vu,vo,moo
全:quan,jeon,chun,jun 辛:xin,shin,sin,san 严:yan,yen,yim,um,eom,nghiem 车:che,cha,ch'a 卞:bian,byun,byeon,pien
温:wen,wan,un,on 单:shan,sin 仇:qiu,kau 解:xie 尤:you,yau,yew 颜:yan,ngan,gan 莫:mo,mok,mac 关:guan,kwan,quan
欧阳:ouyang,auyeung 司马:sima,szema,samma 诸葛:zhuge,jegal 上官:shangguan 南宫:nangong,namgung 皇甫:huangfu,hwangbo
司徒:situ,szeto 慕容:murong 令狐:linghu 东方:dongfang
""")

# The readings of characters in Japanese names.
_JAPANESE: Mapping[str, tuple[str, ...]] = _table("""
山:yama 田:ta,da 中:naka 村:mura 川:kawa,gawa 木:ki,gi 本:moto 小:ko,o 大:o,dai,hiro 高:taka 松:matsu 井:i
藤:to,fuji,do 佐:sa 伊:i 加:ka 斎:sai 斉:sai 渡:wata,nabe 辺:nabe,be 辺:be 石:ishi 原:hara,wara 野:no 上:ue,kami
下:shita,moto 口:guchi 島:shima,jima 橋:hashi,bashi 清:kiyo,shi 水:mizu 森:mori 池:ike 林:hayashi,bayashi 岡:oka
前:mae 後:go 金:kane 谷:tani,ya 西:nishi 東:higashi,azuma 北:kita 南:minami 内:uchi 宮:miya 今:ima 近:kon 遠:en
安:a,yasu,an 倍:be 部:be 福:fuku 長:naga,cho 坂:saka 阪:saka 吉:yoshi 星:hoshi 杉:sugi 竹:take 菊:kiku 桜:sakura
桑:kuwa 黒:kuro 白:shira 赤:aka 青:ao 沢:sawa,zawa 澤:sawa,zawa 新:ara,nii,shin 古:furu,ko 永:naga 河:kawa 戸:to
平:hira,hei 丸:maru 千:chi,sen 葉:ha,ba,yo 関:seki 横:yoko 浜:hama 津:tsu 和:wa,kazu 久:ku,hisa 保:ho,yasu
三:mi,zo,san 宅:yake 浅:asa 植:ue 荒:ara 岩:iwa 根:ne 武:take 矢:ya 崎:saki,zaki 須:su 馬:ma,ba 飯:ii 塚:tsuka,zuka
土:tsuchi,hiji 屋:ya 柴:shiba 市:ichi 鈴:suzu 麻:a,asa 生:so,o,sei 菅:suga,kan 義:yoshi 偉:hide,i 鳩:hato 泉:izumi
細:hoso 羽:ha,hane 海:kai,umi 俊:toshi,shun 樹:ki,ju 一:ichi,kazu,hajime 二:ji 太:ta 郎:ro 次:ji 朗:ro 子:ko 美:mi
恵:e,megumi 香:ka,kaori 花:hana 奈:na 菜:na 代:yo 江:e 枝:e 幸:yuki,sachi,ko 雪:yuki 由:yu 裕:yu,hiro 優:yu 祐:yu
雄:o,yu 夫:o 男:o 彦:hiko 介:suke 助:suke 輔:suke 人:to,hito 仁:hito,jin 志:shi 司:shi,tsukasa 史:fumi,shi
治:ji,haru 二:ji 明:aki,akira 昭:aki 晃:akira 彰:akira 章:aki,akira 秋:aki 晋:shin 進:susumu 真:ma,shin,makoto
誠:makoto 信:nobu,shin 伸:nobu,shin 正:masa 昌:masa 政:masa 雅:masa 勝:katsu 克:katsu 秀:hide 英:hide,ei
博:hiro,hiroshi 浩:hiro,hiroshi,ko 弘:hiro,hiroshi 宏:hiro,hiroshi 寛:hiro,hiroshi 広:hiro 洋:hiro,yo
孝:taka,takashi 隆:taka,takashi 貴:taka 敬:taka,kei 哲:tetsu 鉄:tetsu 剛:tsuyoshi,go 健:ken,takeshi 賢:ken 謙:ken
建:ken 憲:nori,ken 典:nori 則:nori 紀:nori,ki 徳:nori,toku 智:tomo,chi 友:tomo 知:tomo 朋:tomo 直:nao 尚:nao 康:yasu
泰:yasu,tai 靖:yasu 光:mitsu 満:mitsu 道:michi 通:michi 行:yuki 之:yuki 純:jun 潤:jun 淳:jun,atsushi 順:jun
聡:satoshi 敏:toshi 利:toshi 年:toshi 寿:toshi,ju 春:haru 晴:haru 陽:yo,haru 夏:natsu 冬:fuyu 文:fumi 芳:yoshi
良:yoshi,ryo 好:yoshi 喜:yoshi,ki 義:yoshi 慶:yoshi,kei 圭:kei 啓:kei 恭:kyo,yasu 京:kyo 亮:ryo 涼:ryo 龍:ryu 竜:ryu
隼:haya 豊:yutaka,toyo 実:minoru,mi 稔:minoru 登:noboru 昇:noboru 茂:shigeru,shige 繁:shigeru,shige 重:shige
守:mamoru 修:osamu,shu 治:osamu 理:ri,osamu 愛:ai 藍:ai 彩:aya 綾:aya 葵:aoi 結:yu 衣:i 佳:ka,yoshi 夏:ka 里:ri,sato
莉:ri 絵:e 理:ri 沙:sa 紗:sa 早:haya,sa 百:yuri,mo 合:ri,ai 節:setsu 悦:etsu 静:shizu 久:hisa 将:masa,sho 翔:sho
昭:sho 正:sho 勇:isamu,yu 五:go 四:shi 六:roku 七:nana 八:ya 九:ku 十:ju 蓮:ren 悠:yu,haruka 陸:riku 湊:minato
大:dai 輝:teru,ki 照:teru 栄:ei,sakae 力:riki,chikara 元:moto,gen 源:gen 宗:mune,so 村:mura 角:kado,kaku 吾:go
悟:satoru,go 奥:oku 児:ji 尾:o 瀬:se 笠:kasa 堀:hori 堂:do
""")
_JAPANESE_SURNAMES: Mapping[str, tuple[str, ...]] = _table("""
佐藤:sato 鈴木:suzuki 高橋:takahashi 田中:tanaka 伊藤:ito 渡辺:watanabe 渡邊:watanabe 渡邉:watanabe 山本:yamamoto
中村:nakamura 小林:kobayashi 加藤:kato 吉田:yoshida 佐々木:sasaki 斎藤:saito 齋藤:saito 斉藤:saito 清水:shimizu
安倍:abe 阿部:abe 安部:abe 後藤:goto 近藤:kondo 遠藤:endo 長谷川:hasegawa 服部:hattori 三宅:miyake 東:azuma,higashi
久保:kubo 五十嵐:igarashi 菅:suga,kan 麻生:aso 河野:kono 岸田:kishida 石破:ishiba 小泉:koizumi 安藤:ando 本田:honda
本間:homma,honma 日産:nissan 日立:hitachi 豊田:toyoda 三菱:mitsubishi 林:hayashi 森:mori 原:hara 岡:oka 関:seki
辻:tsuji 柳:yanagi 南:minami 西:nishi 北:kita 谷:tani 堀:hori 金子:kaneko 小野:ono 大野:ono 工藤:kudo 内藤:naito
武藤:muto 須藤:sudo 江藤:eto
""")
_LONE_SURNAMES = "菅辻"
"""Surnames of one character that seldom begin a longer one."""

_MOST_READINGS = 12


def one_form(text: str) -> str:
    """*text* with the traditional and the Japanese forms of its characters replaced by the simplified ones.

    >>> one_form("毛澤東") == one_form("毛泽东")
    True
    """
    return text.translate(_ONE_FORM)


def surname_length(text: str) -> int:
    """How many characters of the Chinese or Korean name *text*, in simplified characters, are the surname.

    >>> surname_length("欧阳修"), surname_length("毛泽东")
    (2, 1)
    """
    return 2 if len(text) > 2 and text[:2] in _SURNAMES else 1


def surname_readings(text: str) -> tuple[str, ...]:
    """The romanizations of a surname in Mandarin, Cantonese, Hokkien, Korean and Vietnamese; none if it is not known.

    >>> surname_readings("郭")[:3]
    ('guo', 'kuo', 'kwok')
    """
    return _SURNAMES.get(text, ())


class JapaneseReadings(NamedTuple):
    """The readings of the surname, which is *size* characters long, and of the given name, as far as they are known.

    *sure* says that the surname stands in the table and was not put together from its characters.
    """

    size: int
    family: tuple[str, ...]
    given: tuple[str, ...]
    sure: bool


def japanese_readings(text: str) -> JapaneseReadings | None:
    """How the name *text* reads if it is a Japanese one.

    >>> japanese_readings("山田太郎")
    JapaneseReadings(size=2, family=('yamata', 'yamada'), given=('taro',), sure=False)
    """
    for size in (3, 2, 1):
        if size < len(text) and text[:size] in _JAPANESE_SURNAMES and (size > 1 or text[0] in _LONE_SURNAMES):
            family = _JAPANESE_SURNAMES[text[:size]]
            return JapaneseReadings(size, family, _spelled(text[size:]), True)
    size = 2 if len(text) > 2 else 1
    family, given = japanese_word(text[:size]), _spelled(text[size:])
    return JapaneseReadings(size, family, given, False) if family and given else None


def japanese_word(text: str) -> tuple[str, ...]:
    """The readings of one word of a Japanese name, by the characters.

    >>> japanese_word("三菱")
    ('mitsubishi',)
    """
    if text in _JAPANESE_SURNAMES:
        return _JAPANESE_SURNAMES[text]
    return _spelled(text)


def _spelled(text: str) -> tuple[str, ...]:
    if not text or len(text) > 4 or any(char not in _JAPANESE for char in text):
        return ()
    choices = [_JAPANESE[char] for char in text]
    words = ("".join(parts) for parts, _ in zip(product(*choices), range(_MOST_READINGS), strict=False))
    return tuple(dict.fromkeys(words))


def latin_surnames() -> dict[str, frozenset[str]]:
    """For every romanization of a surname, the surnames (as characters) that it may stand for.

    >>> sorted(latin_surnames()["rhee"])
    ['李']
    """
    found: dict[str, set[str]] = {}
    for char, readings in _SURNAMES.items():
        for reading in readings:
            found.setdefault(reading, set()).add(char)
    return {reading: frozenset(chars) for reading, chars in found.items()}
