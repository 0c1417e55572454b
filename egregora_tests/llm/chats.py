"""Small made-up conversations for the tests, and the real one where it is at hand."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

from egregora_resources.llm.tasks import Link, Picture, Said, Stretch

REAL_CHAT = Path(__file__).parents[3] / "shared" / "exports" / "design-team.zip"
MONDAY = datetime(2025, 1, 13, 9, 0)

GARDEN = {
    "en": """Who can help at the community garden on Saturday?
I'll bring the wheelbarrow and two spades
Haha nice
The raised bed is falling apart, the boards are rotten
New larch boards cost about eighteen pounds each at the timber yard
For the raised bed we need twelve boards and new screws
The kitty has 240 pounds, that covers the boards and the screws
And what about the compost heap? It smells all the way to the street
The compost heap has to move, I own a pitchfork
The neighbour complained about the compost heap again
Okay
Let's move the compost heap first and build the raised bed after that
Who picks up the boards from the timber yard?
I have a trailer, I'll drive to the timber yard on Friday""",
    "pt": """Quem leva a churrasqueira no sábado?
Eu levo a churrasqueira e o carvão
kkkkkk
A previsão do tempo diz chuva para sábado à tarde, melhor começar cedo
Podemos fazer embaixo da varanda da casa, tem espaço para vinte pessoas
Quanto de carne a gente compra? No último churrasco da turma sobrou muita picanha
Vinte pessoas, uns oito quilos de carne e pão de alho
O pão de alho do mercado da esquina é o melhor da cidade
Valeu
A churrasqueira está sem a grelha, alguém tem uma grelha grande?
Tenho uma grelha na garagem, levo junto com o carvão""",
    "es": """El autobús para la excursión sale a las ocho de la plaza mayor
¿Alguien sabe si hay que llevar comida?
Sí, llevad bocadillos, el refugio de montaña está cerrado en enero
jajaja vale
Yo llevo la cuerda y los crampones por si hay hielo en el collado
El parte meteorológico da nieve por encima de los mil quinientos metros
El autobús de línea tiene cadenas, pregunté ayer en la estación
El refugio de montaña abre en marzo, podríamos dejar la excursión larga para entonces
La ruta corta son nueve kilómetros y casi sin desnivel""",
    "de": """Wer kann am Samstag beim Gemeinschaftsgarten helfen?
Ich bringe die Schubkarre und zwei Spaten mit
Super!
Das Hochbeet muss repariert werden, die Bretter sind morsch
Im Baumarkt kosten Bretter aus Lärche ungefähr achtzehn Euro das Stück
Für das Hochbeet brauchen wir mindestens zwölf Bretter und neue Schrauben
Der Komposthaufen muss umgesetzt werden, ich habe eine Mistgabel
Die Nachbarin hat sich über den Komposthaufen beschwert, bitte bald machen
Wer holt die Bretter im Baumarkt? Ich habe keinen Anhänger""",
    "ja": """来週の花見はどこでやりますか？
上野公園は混むので、川沿いの公園がいいと思います。
川沿いの公園は桜がきれいで、トイレも近いです。
お弁当は私が十人分作ります。
飲み物は駅前のスーパーで買って行きます。
雨なら翌日の日曜日に延期しましょう。""",
    "hi": """शनिवार को पार्क की सफाई के लिए कौन आ रहा है?
मैं झाड़ू और कूड़े के थैले लेकर आऊँगा
पार्क की सफाई पिछले महीने भी हुई थी पर कूड़ा फिर जमा हो गया
नगर निगम ने नए कूड़ेदान देने का वादा किया है
कूड़ेदान अगले सप्ताह आएंगे ऐसा अधिकारी ने कहा
झूले की मरम्मत के लिए पाँच हजार रुपये लगेंगे""",
    "ar": """من سيحضر اجتماع الجمعية يوم الخميس في المكتبة؟
سأحضر ومعي قائمة الكتب الجديدة للمكتبة
نحتاج إلى رفوف جديدة لأن الرفوف القديمة مكسورة
سعر الرفوف الجديدة مئتا دينار حسب النجار
يمكننا جمع المال من معرض الكتب المستعملة
معرض الكتب المستعملة كان ناجحا في العام الماضي""",
}
PEOPLE = ("amber-heron", "blue-otter", "coral-fox")


def stretch(
    lines: Sequence[str],
    language: str = "auto",
    minutes: int = 4,
    so_far: bool = False,
    links: Sequence[Link] = (),
    pictures: Sequence[Picture] = (),
) -> Stretch:
    """The lines as messages, a few minutes apart, by three people in turn."""
    said = [
        Said(id=100 + n, time=MONDAY + timedelta(minutes=minutes * n), author=PEOPLE[n % 3], text=line)
        for n, line in enumerate(lines)
    ]
    return Stretch(
        window="2025-01-13",
        messages=said,
        language=language,
        so_far=so_far,
        links=list(links),
        pictures=list(pictures),
    )


def garden(chat: str = "en", language: str = "auto", minutes: int = 4, so_far: bool = False) -> Stretch:
    """A lively afternoon, in several languages."""
    return stretch(GARDEN[chat].splitlines(), language, minutes, so_far)


def real_weeks() -> list[Stretch]:
    """The real conversation, a stretch a week, senders as pseudonyms."""
    with zipfile.ZipFile(REAL_CHAT) as archive:
        text = archive.read(archive.namelist()[0]).decode("utf-8")
    line = re.compile(r"^(\d\d/\d\d/\d{4}, \d\d:\d\d) - ([^:]+): (.*)$", re.MULTILINE)
    senders: dict[str, str] = {}
    weeks: dict[str, list[Said]] = {}
    for number, match in enumerate(line.finditer(text)):
        time = datetime.strptime(match[1], "%d/%m/%Y, %H:%M")
        author = senders.setdefault(match[2], f"person-{len(senders)}")
        weeks.setdefault(time.strftime("%G-W%V"), []).append(
            Said(id=number, time=time, author=author, text=match[3])
        )
    return [Stretch(window=week, messages=said) for week, said in weeks.items()]
