"""Given names that are one name in several languages, and the titles and particles around names of people.

Invariant: tables of folded Latin words. A name may stand in several groups; to stand in one group is to be a
variant, not to be equal.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

# One group a line. Only what letters and sounds do not show; spellings of one of these are found by how they sound.
_ONE_NAME = """
alexander aleksandr alexandre alejandro alessandro oleksandr aliaksandr iskander alexandros aleksandar sandor alasdair
alexandra aleksandra oleksandra alejandra alessandra
alexey aleksei alexis oleksii aliaksei alexios alexej
andrew andrei andreas andre andres andrea anders andrzej andrii andriy ondrej andras
anthony antonio anton antoine antonios antonin
anna hanna hannah ana anne ann
basil vasily vasyl vasilios vasile wassily bazyli vassilis
benjamin binyamin benyamin veniamin
boris barys borys
catherine katherine ekaterina kateryna katarina katharina caterina catalina katarzyna aikaterini yekaterina katerina
charles carlos karl carl carlo karel karol
christian kristian cristian
christopher kristoffer christophe cristobal krzysztof christoph
constantine konstantin konstantinos kostas costas kostyantyn constantin
cyril kirill kyrylo
daniel danilo danil danylo daniil
david dawid daud davide davit dawood daoud
demetrius dmitry dmytro dimitrios dimitri dzmitry dimitris
edward eduard edouard eduardo edoardo
elena helen helena olena eleni alena ilona yelena
elizabeth elisabeth elisabetta elizaveta yelizaveta isabel erzsebet elzbieta
elijah ilya illia elias ilias ilyas
eugene evgeny yevhen eugen eugenio yauheni evgenios yevgeny
eugenia evgenia yevheniia
francis francisco francesco francois franz ferenc franciszek
frederick friedrich frederic federico fryderyk
gabriel jibril gavriil
george georgy georges georgios jorge giorgio georg giorgi heorhii jiri jerzy gyorgy yorgos giorgos yiorgos jordi
yuri yury yurii yuriy juri iouri
gregory grigory grigorii hryhorii gregorio grigoris grzegorz gregor
helene yelena
henry heinrich henri enrique enrico henryk hendrik henrik
hugo ugo
igor ihor
irene irina iryna irini
jacob yakov yakub jakob jacques jaime iacob yaqub yakiv jakub
james jaime santiago jacques giacomo
jerome hieronymus geronimo jeronimo
joan joanna johanna
john jon
john jean juan ivan giovanni johann johannes joao jan ioannis yannis yiannis giannis hans ian yahya jovan janos johan
joseph jose josef giuseppe iosif yusuf yosef jozef jozsef yusif youssef yosyp josip
julia yulia yuliia giulia julie
julius giulio julio jules yuliy
lawrence laurent lorenzo lorenz lavrenty lars
leo lev leon leonid
louis luis luigi ludwig luiz lajos ludovic
luke lucas luca lukas lukasz
mark marc marco marcos marek markus marcus
mary maria marie miriam maryam mariam marija
martha marta marfa
matthew matthias mateo matteo matej matvey mathieu mateusz matthieu matti
maxim maksim maksym maksymilian
michael mikhail michel miguel michele mykhailo michal mikael mihai mikheil mihail mihaly mikhael mikael
moses musa moshe moisei moussa
nicholas nikolai nicolas mykola nikolaos nicola nikola niccolo mikalai nikolay mikolaj miklos
noah nuh
oleg oleh
patrick patricio patrice padraig patrizio
paul pavel pablo paolo pavlo pawel pavlos paulo bulus pal
peter pyotr petr pedro pietro pierre petro petros pieter piotr petar boutros butrus petre
philip philippe felipe filippo filip philippos
ramon raymond raimund raimundo
ralph raul raoul rolf
raphael rafael raffaele rafail
richard ricardo riccardo
robert roberto
rudolf rodolfo
samuel samuil
sarah sara
sergei serge sergio serhii siarhei sergius serhiy serzh
simon semyon semen shimon simeon simone szymon
solomon suleiman shlomo suleyman sulayman suleman
sophia sofia zofia sofya sophie
stephen steven stefan stepan esteban stephane stefano stephanos etienne istvan szczepan estevao
tatiana tatyana tetiana tetyana
theodore fyodor fedor feodor teodor fedir theodoros teodoro todor
thomas tomas tommaso tomasz toma foma
timothy timofei timoteo tymofiy timotheos
victor viktor vittorio wiktor
vincent vicente vincenzo vikentiy
vladimir volodymyr uladzimir wladimir wlodzimierz
walter valter gualtiero
william wilhelm guillermo guillaume guglielmo willem vilhelm guilherme vilmos
abraham ibrahim avraham avram ebrahim
ishmael ismail ishmail ismael
zachary zakaria zakhar zacharias zachariah
muhammad mohammed mohamed mohammad mehmet mohd md mohamad mamadou maxamed magomed mahomed mohamud mukhamed muhammed muh
ahmad ahmed akhmed ahmet akhmad
mahmud mahmoud makhmud mahmood mehmud
hamad hamed hamid
hasan hassan khasan hacen
husain hussein husayn hossein huseyn hussain houssein husein khusein huseyin
umar omar oumar omer
amr amro amru
ammar amar
ali aly
alaa ala
khalid khaled kaled halid
khalil halil
uthman othman osman ousmane usman
abdullah abdallah abdulla abdoulaye
abdulrahman abdelrahman abdurrahman abdirahman abderrahmane
abdulrahim abdelrahim abderrahim
abdulaziz abdelaziz
abdulkarim abdelkarim abdelkrim
said saeed sayeed saiid sayed
saad sad
salim selim saleem
salem
salman selman
sulayman
hamza hamzah
jamal gamal djamal cemal
aiman ayman
tariq tarek tarik tareq
qasim qassem kassem kasim ghasem gassem
rashid rachid rasheed
rahul
rajiv rajeev
rajesh
rakesh
sunil
sushil
amit
ajit
suresh
ramesh
mahesh
mukesh
dinesh
naresh
anil
sanjay
vijay
ajay
harpreet
gurpreet
manpreet
yuko
yuka
yuki
yumi
kenji
kenta
koji
koichi
joji
taro
jiro
saburo
hiroshi
hiroki
hiroko
frank franck
hans
jens jans
lars
erik eric eirik
erika erica
ron
rand
anders
tim
tom
dan
don
jane
john
james
jack
marina
mariana
marianne
martin
martina
marc
marie
mario
"""

HONORIFICS = frozenset(
    """
sekh mr mrs ms miss mx dr prof professor doctor sir dame lord lady rev reverend hon honorable honourable fr father
sister herr frau hr fru dhr mevr mme mlle monsieur madame m. senor senora sr. sra srta don dona doña signor signora
dott sheikh shaykh shaikh sheykh cheikh hajji haji hajj hadji al-hajj alhaj alhaji sayyid sayed seyed syed seyyed
mullah mulla maulana mawlawi maulvi moulvi ayatollah hojatoleslam imam qari qazi ustad ostad engineer eng ing ir
general gen colonel col major maj captain capt lieutenant lt sergeant sgt admiral adm brigadier brig marshal
commander comrade president minister king queen prince princess emir amir sultan baron count duke graf freiherr his
her excellency royal highness hrh he daw thiru shri sri smt kumari pandit datuk dato datin tun tan-sri tengku raden
gospodin gospodja pan pani bay bey bayan dipl dipling mag phil med jur dds господин госпожа г-н г-жа доктор генерал
шейх الشيخ السيد الدكتور الحاج شيخ سيد دكتور 氏 先生 女士 さん 様 씨 님 श्री श्रीमती डॉ นาย นาง นางสาว ดร κ κα κος δρ
""".split()
)
"""Titles and forms of address, folded; they tell nobody from anybody. A title never empties a name."""

CREDENTIALS = frozenset(
    "phd md esq cpa mba llm llb msc bsc ma ba mp kc qc obe mbe cbe frcs dphil jd ir ret retd se sh st bin-ret".split()
)
"""What stands after a name; `st` and `sh` are Indonesian degrees and are taken for such behind a comma only."""

GENERATIONS: Mapping[str, str] = {
    "jr": "2nd", "junior": "2nd", "filho": "2nd", "fils": "2nd", "sr": "1st", "senior": "1st", "pere": "1st",
    "i": "1st", "ii": "2nd", "2nd": "2nd", "iii": "3rd", "3rd": "3rd", "iv": "4th", "4th": "4th", "neto": "3rd",
    "мл": "2nd", "младший": "2nd", "ст": "1st", "старший": "1st",
}  # fmt: skip

PARTICLES = frozenset(
    "van von der den de del della delle dello dei degli di da do dos das du des la le las los lo l d ter ten te op zu "
    "zum zur vom af av y e i al el ul as ash ad an ar at az as ou und of the bin ibn bint ben bar b bn binti binte "
    "oglu ogly ogli qizi kyzy kizi uulu a/l a/p ould walad weld zade".split()
)
"""Words between names: they join, and say little by themselves. Arabic articles may stand in any assimilated form."""

SERVANTS: Mapping[str, str] = {
    **dict.fromkeys("abd abdul abdel abdal abdol abdu abdur abdus abduz abdou abdoul abdil".split(), "abd"),
    **dict.fromkeys("abu abou abi abw".split(), "abu"),
}
"""The first half of a name in two words: Abdul Aziz, Abu Bakr. It tells nothing without the other half."""

EXTRAS = frozenset(
    "muhammad mohammed mohamed mohammad mohd md muhammed mohamad maria marie jose singh kaur bibi khan".split()
)
"""Names so common beside another one that their absence says nothing."""

FORMER = frozenset("nee born geb geborene dit dite formerly vormals rozena z-domu урожд урожденная".split())
"""What follows is a name that the person bore before."""

ALIAS = frozenset("aka alias fka kunya".split())


@cache
def _groups() -> Mapping[str, frozenset[int]]:
    found: dict[str, set[int]] = {}
    for number, line in enumerate(_ONE_NAME.split("\n")):
        for word in line.split():
            found.setdefault(word, set()).add(number)
    return {word: frozenset(numbers) for word, numbers in found.items()}


def is_known(word: str) -> bool:
    """Whether the folded Latin *word* is a given name of the table: if so, it is unlikely to be an error for another.

    >>> is_known("mahmoud"), is_known("smith")
    (True, False)
    """
    return word in _groups()


@cache
def _members() -> Mapping[int, tuple[str, ...]]:
    return {number: tuple(line.split()) for number, line in enumerate(_ONE_NAME.split("\n"))}


def forms_of(word: str) -> tuple[str, ...]:
    """The other forms of the given name *word*.

    >>> "ekaterina" in forms_of("catherine")
    True
    """
    return tuple(form for number in _groups().get(word, ()) for form in _members()[number] if form != word)


def are_one_name(a: str, b: str) -> bool:
    """Whether *a* and *b* are forms of one given name.

    >>> are_one_name("mykola", "nikolai"), are_one_name("mahmoud", "mohamed")
    (True, False)
    """
    groups = _groups()
    return not groups.get(a, frozenset()).isdisjoint(groups.get(b, frozenset()))
