"""Names inside text: which words mean a person, which are only words."""

from __future__ import annotations

import pytest

from egregora_resources.privacy.names.index import NameIndex, Person
from egregora_resources.privacy.pseudonyms import tokens_in

LAURA, DAVID, ANDREW, NUMBER = "amber-heron", "calm-otter", "bright-fox", "kind-owl"
WILL, ROSE, MARK, JORDAN = "tiny-panda", "neat-eagle", "bold-stork", "glad-seal"
JOSE, JEAN_LUC, MEI, MINSU, ALI, ANNA = (
    "warm-crane",
    "quick-hare",
    "loyal-elk",
    "busy-yak",
    "still-newt",
    "tidy-finch",
)
PEOPLE = [
    Person(LAURA, ("Laura Bennett",)),
    Person(DAVID, ("David Okafor", "+234 803 123 4567")),
    Person(ANDREW, ("Andrew Reyes 🎨",)),
    Person(NUMBER, ("+44 7700 900123",)),
    Person(WILL, ("Will Hargreaves",)),
    Person(ROSE, ("~ Rose",)),
    Person(MARK, ("Mark Stone",)),
    Person(JORDAN, ("Jordan May",)),
    Person(JOSE, ("José da Silva",)),
    Person(JEAN_LUC, ("Dr. Jean-Luc O'Brien (work)",)),
    Person(MEI, ("李小明",)),
    Person(MINSU, ("김민수",)),
    Person(ALI, ("محمد علي",)),
    Person(ANNA, ("Анна Каренина",)),
]
NAMES = NameIndex(PEOPLE)


@pytest.mark.parametrize(
    ("text", "token"),
    [
        ("I asked Laura Bennett.", LAURA),
        ("LAURA BENNETT!!", LAURA),
        ("laura  bennett", LAURA),
        ("Bennett, Laura", LAURA),
        ("laurabennett", LAURA),
        ("laura_bennett", LAURA),
        ("Laura\nBennett", LAURA),
        ("Lau\u200bra Ben\u00adnett", LAURA),
        ("\u202aLaura\u00a0Bennett\u202c", LAURA),
        ("Ｌａｕｒａ Bennett", LAURA),
        ("ask laura", LAURA),
        ("Laura's cake", LAURA),
        ("Laura’s cake", LAURA),
        ("_Laura_ *Laura* ~Laura~", LAURA),
        ("#Laura", LAURA),
        ("the Laura-led project", LAURA),
        ("Okafor knows", DAVID),
        ("okafor's", DAVID),
        ("Andrew Reyes 🎨", ANDREW),
        ("andrew reyes", ANDREW),
        ("jose came", JOSE),
        ("JOSÉ DA SILVA", JOSE),
        ("Jose\u0301", JOSE),
        ("jean-luc is here", JEAN_LUC),
        ("Mr O’Brien", JEAN_LUC),
        ("我和李小明去", MEI),
        ("小明呢", MEI),
        ("김민수가 왔다", MINSU),
        ("민수야", MINSU),
        ("قال محمد علي", ALI),
        ("ومحمد هنا", ALI),
        ("Анна пришла", ANNA),
        ("каренина", ANNA),
    ],
)
def test_a_name_becomes_its_persons_token(text: str, token: str) -> None:
    replaced = NAMES.replace(text)
    assert tokens_in(replaced) == {token}
    assert NAMES.people_in(text) == {token}
    assert NAMES.replace(replaced) == replaced


@pytest.mark.parametrize(
    ("text", "replaced"),
    [
        ("@⁨Laura Bennett⁩ hi", f"@{LAURA} hi"),
        ("@⁨~ Rose⁩ and @⁨Will⁩", f"@{ROSE} and @{WILL}"),
        ("@\u202a+44 7700 900123\u202c ok", f"@{NUMBER} ok"),
        ("@447700900123 ok", f"@{NUMBER} ok"),
        ("@+234 803 123 4567", f"@{DAVID}"),
        ("@laura, @will and @rose!", f"@{LAURA}, @{WILL} and @{ROSE}!"),
        ("@⁨Somebody Unknown⁩ ok", "[name] ok"),
        ("@⁨+1 212 555 0199⁩ ok", "[phone] ok"),
        ("@⁨all⁩ ok", "@all ok"),
        ("@instagram @everyone", "@instagram @everyone"),
    ],
)
def test_a_mention_becomes_the_token_in_any_spelling(text: str, replaced: str) -> None:
    assert NAMES.replace(text) == replaced
    assert NAMES.replace(replaced) == replaced


@pytest.mark.parametrize(
    "text",
    [
        "Will you come? Will the bus come? I will. WILL DO.",
        "okay Will you come",
        "Mark my words, and mark the date. Mark it.",
        "Rose is my favourite colour. A rose. The Rose.",
        "the Stone, a stone",
        "In May we come from Jordan. In Jordan it rains. May I?",
        "may may May",
        "What Will It Take This Time",
        "Lauras laurab xlaura laura2 laura_yoga",
        "@rose.garden @will-power",
        "davids andrews",
        "https://example.com/laura laura@example.com www.laura.com",
        "Let It Rose Up Above",
        "the will of the people",
        "我明小李",
        "김민",
    ],
)
def test_words_that_only_look_like_names_stay(text: str) -> None:
    assert NAMES.replace(text) == text
    assert NAMES.people_in(text) == set()


@pytest.mark.parametrize(
    ("text", "replaced"),
    [
        ("I'll ask Will about it", f"I'll ask @{WILL} about it"),
        ("ask will hargreaves", f"ask @{WILL}"),
        ("Hargreaves knows", f"@{WILL} knows"),
        ("Will said yes", f"@{WILL} said yes"),
        ("Will, can you come?", f"@{WILL}, can you come?"),
        ("Will's idea", f"@{WILL}'s idea"),
        ("Will?", f"@{WILL}?"),
        ("thanks Rose", f"thanks @{ROSE}"),
        ("I saw Rose there. rose", f"I saw @{ROSE} there. rose"),
        ("then Mark told me", f"then @{MARK} told me"),
        ("I told Mark that. Mark that", f"I told @{MARK} that. Mark that"),
        ("Mr Stone", f"@{MARK}"),
        ("I told Jordan that", f"I told @{JORDAN} that"),
    ],
)
def test_an_ordinary_word_is_a_name_where_its_capital_says_so(text: str, replaced: str) -> None:
    assert NAMES.replace(text) == replaced


def test_a_first_name_that_two_people_share_is_nobodys_in_particular() -> None:
    names = NameIndex([Person(LAURA, ("Laura Bennett",)), Person(ROSE, ("Laura Smith",))])
    assert names.replace("Laura, Laura Smith and @⁨Laura Bennett⁩") == f"[name], @{ROSE} and @{LAURA}"
    assert names.people_in("ask laura") == {LAURA, ROSE}
    assert names.replace("Laura B. said so, Laura S agreed") == f"@{LAURA}. said so, @{ROSE} agreed"
    assert names.replace("Laura and Laura I think") == "[name] and [name] I think"


def test_somebody_known_by_several_names_has_one_token() -> None:
    names = NameIndex([Person(LAURA, ("Laura Bennett", "+44 7700 900123", "Lolly"))])
    assert names.replace("lolly, Laura, +44 7700-900123") == f"@{LAURA}, @{LAURA}, @{LAURA}"


def test_whoever_opted_out_is_nobody_in_particular_in_what_others_wrote() -> None:
    names = NameIndex([Person(LAURA, ("Laura Bennett", "+44 7700 900123"), opted_out=True)])
    assert names.replace("hi Laura, @\u2068Laura Bennett\u2069") == "hi [name], [name]"
    assert names.replace(f"hi @{LAURA}, {LAURA}, Amber Heron") == "hi [name], [name], [name]"
    assert names.replace("an amber heron flew by") == "an amber heron flew by"
    assert LAURA not in names.replace("call +44 7700 900123 or @447700900123")
    assert names.people_in(f"hi Laura, @{LAURA}") == {LAURA}


def test_a_name_made_of_the_words_of_a_token_leaves_tokens_alone() -> None:
    names = NameIndex([Person(LAURA, ("Heron",)), Person(ROSE, ("Amber Otter",)), Person(MARK, ("Phone",))])
    text = f"@{LAURA} @calm-otter [phone] [name]"
    assert names.replace(text) == text


@pytest.mark.parametrize("name", ["", " ", "~", "🎨", ".", "\u200e", "A", "李", "12", "()", "@"])
def test_a_name_without_letters_to_look_for_breaks_nothing(name: str) -> None:
    names = NameIndex([Person(LAURA, (name,))])
    text = "A 🎨 is a 12 . 李 () @ you"
    assert names.replace(text) == text


@pytest.mark.parametrize(
    ("language", "name", "text", "replaced"),
    [
        (
            "pt-BR",
            "Clara Luz",
            "Clara veio? fala com Clara, é clara a luz",
            "@x veio? fala com @x, é clara a luz",
        ),
        (
            "pt",
            "Vitória",
            "que vitória! Vitória disse oi; em Vitória chove",
            "que vitória! @x disse oi; em Vitória chove",
        ),
        ("pt", "Ana", "ana chegou", "@x chegou"),
        (
            "es",
            "Sol Ramos",
            "El Sol sale. hace sol. pregúntale a Sol",
            "El Sol sale. hace sol. pregúntale a @x",
        ),
        (
            "de",
            "Rose Wolf",
            "Die Rose blüht, eine rote Rose. Ich habe Rose gesehen",
            "Die Rose blüht, eine rote Rose. Ich habe @x gesehen",
        ),
        ("de", "Laura", "Lauras Idee", "@x Idee"),
        ("de", "Jürgen Groß", "Juergen kommt, GROSS geschrieben", "@x kommt, GROSS geschrieben"),
        ("pt", "Rosa Bento", "falei com a Rosa, a rosa da Rosa", "falei com a @x, a rosa da @x"),
        ("fr", "Olivier", "l'avis d'Olivier, l'olivier", "l'avis d'@x, l'olivier"),
        ("fr", "Pierre", "une pierre. J'ai vu Pierre. Pierre dit oui", "une pierre. J'ai vu @x. @x dit oui"),
        ("it", "Sara", "sarà bello. Sarà bello. ho visto Sara", "sarà bello. Sarà bello. ho visto @x"),
        ("en", "Oliver Stone", "Oliver and I came, oliver too", "@x and I came, @x too"),
        ("en", "Ben Lee", "ben was here, Lee too; what a benefit", "@x was here, @x too; what a benefit"),
        ("en", "Max King", "Max and I came, to the max", "@x and I came, to the max"),
        ("pt", "Pedro Leite", "Pedro e eu vamos, pedro vem; leite", "@x e eu vamos, @x vem; leite"),
        ("pt", "Caio Prado", "eu caio de sono, Caio também", "eu caio de sono, @x também"),
        ("es", "Ana Calle", "la calle está vacía, Ana", "la calle está vacía, @x"),
        ("fr", "Claire Petit", "Claire et moi, une eau claire", "@x et moi, une eau claire"),
        ("it", "Chiara Villa", "Chiara e io, la villa è chiara", "@x e io, la villa è chiara"),
        ("de", "Rosa Klein", "das ist rosa, frag Rosa", "das ist rosa, frag @x"),
        ("sv", "Laura", "laura kom", "@x kom"),
        ("auto", "Rose", "rose, thanks Rose", "rose, thanks @x"),
    ],
)
def test_the_chats_language_decides_what_an_ordinary_word_is(
    language: str, name: str, text: str, replaced: str
) -> None:
    assert (
        NameIndex([Person("amber-heron", (name,))], language).replace(text).replace("@amber-heron", "@x")
        == replaced
    )
