"""Plain text from wikitext; expected texts are what MediaWiki shows, written by hand."""

import pytest

from clir_ot.sources.mediawiki_text import documentation_text, message_text, templates


@pytest.mark.parametrize(
    ("wikitext", "expected"),
    [
        ("'''Delete''' the ''old'' page $1?", "Delete the old page?"),
        ("{{PLURAL:$1|0=No pages|One page|$1 pages}} found", "pages found"),
        ("{{PLURAL:$1|one page|[[Special:Pages|many]] {{GENDER:$2|his|her}} pages|12=a dozen}}", "many his pages"),
        ("{{GENDER:$2|Supprimé|Supprimée}} par $1", "Supprimé par"),
        ("See [[Special:Watchlist|your watchlist]] of [[:$1]] on {{SITENAME}}.", "See your watchlist of on."),
        ("[https://example.org/$1 The manual] and [$2 more]", "The manual and more"),
        ("{{int:emailuser}}: <strong class='x'>Warning</strong><br>it&nbsp;is &lt;empty&gt;", "Warning it is <empty>"),
        ("* one\n* two <!-- three -->", "one two"),
        ("\u200fשלום\u200e $1", "שלום"),
        ("E\u0300kó", "Èkó"),  # one spelling: NFC
        ("मराठी ‘{{PLURAL:$1|पान|पाने}}’", "मराठी ‘पाने’"),
        ("$1 – $2 ($3)", ""),
        ("open {{PLURAL:$1|a [[link", ""),
    ],
)
def test_a_message_is_what_is_shown(wikitext: str, expected: str) -> None:
    assert message_text(wikitext) == expected


@pytest.mark.parametrize(
    ("wikitext", "expected"),
    [
        (
            "Label of the [[Special:Upload|upload form]].\nParameters:\n* $1 - the file's name\n* $2 - {{msg-mw|Size}}"
            "\nSee also:\n* {{msg-mw|Uploadbtn|title}}\n{{Identical|Upload}}",
            "Label of the upload form.\nthe file's name",
        ),
        ("{{doc-right|edit}}", ""),
        (
            "{{Doc-important|Do not translate <code>x</code>.}}\nShown in <code>Special:Log</code>.",
            "Shown in Special:Log.",
        ),
        ("Used on [[Special:Block]].\n----\nPlain.", "Used on Special:Block.\nPlain."),
        ("Shown as a title. Parameters:\n* $1 - the name\nRefers to {{msg-mw|a}}.", "Shown as a title.\nthe name"),
        (
            "On [[Special:Preferences]] > {{msg-mw|prefs-rc}} > {{msg-mw|b}}. Set parameters.",
            "On Special:Preferences. Set parameters.",
        ),
        ("About <nowiki>{{PLURAL}}</nowiki> forms", "About PLURAL forms"),
    ],
)
def test_documentation_keeps_its_own_words(wikitext: str, expected: str) -> None:
    assert documentation_text(wikitext) == expected


def test_templates_are_known_by_name() -> None:
    assert templates("{{Notranslate}} and {{ Identical |Upload}}") == {"notranslate", "identical"}
