import csv
import io
import re
from html.parser import HTMLParser

import pytest
from cli.made_runs import make_run
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from report.conftest import provenance, report, returns

from spinup.errors import ReportError
from spinup.report.document import Facts, Listing, Picture, Points, Prose, Report, Section, Table
from spinup.report.html import page_of
from spinup.report.latex import latex_of
from spinup.report.markdown import markdown_of
from spinup.report.svg import element_of

VOID = {"meta", "link", "br", "hr", "img", "input", "path", "use"}
EVIL = "</code><script>alert(1)</script>"


class Page(HTMLParser):
    """All elements of a page, which have to be closed in the order in which they were opened."""

    def __init__(self, text):
        super().__init__()
        self.elements, self.open, self.text = [], [], ""
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data


def table(*cells):
    import polars as pl

    frame = pl.DataFrame({"name": list(cells), "value": [1.0] * len(cells)})
    return Table("results", "T", ("name", "value"), tuple((cell, "1") for cell in cells), frame)


def of_text(text):
    """A report that has ``text`` everywhere."""
    blocks = (
        Prose((text, f"`{text}`")),
        Points((text,)),
        Facts(((text, text),)),
        Listing(text, (text,)),
        table(text),
        Picture("p", text, text, "<svg></svg>", None),
    )
    return Report(text, text, (text, f"`{text}`"), (text,), (Section("Warnings", blocks),))


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A report of four variants and a failure, with provenance and names that try to do harm."""
    data = tmp_path_factory.mktemp("data")
    for lr in (1, 2):
        for seed in range(2):
            run = make_run(
                data, f"g_lr{lr}", seed, returns=returns(40 * lr, seed), config={"lr": lr, "x": EVIL}
            )
            provenance(run)
    make_run(
        data, "bad", 0, "failed", (), {"exp_name": EVIL}, reason="exception", message=f"Error: {EVIL}\n2"
    )
    return report(data)


def test_the_page_needs_nothing_and_runs_nothing(made):
    page = Page(made.to_html())
    names = {name for name, _ in page.elements}
    assert not names & {"script", "link", "img", "iframe", "object", "embed", "base", "form"}
    for _, attributes in page.elements:
        for name, value in attributes.items():
            assert not name.startswith("on")
            if name in {"src", "href", "xlink:href"}:
                assert value.startswith(("#", "data:image/png;base64,"))
    assert "@import" not in made.to_html()
    assert not re.search(r"url\((?!#)", made.to_html())


def test_foreign_text_is_shown_as_it_is(made):
    assert EVIL in Page(made.to_html()).text
    assert "<script" not in made.to_html()


def test_ids_are_there_once_and_each_reference_has_its_own(made):
    html = made.to_html()
    ids = [attributes["id"] for _, attributes in Page(html).elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    references = set(re.findall(r'(?:href="#|url\(#)([^")]+)', html))
    assert len(references) > 10
    assert references <= set(ids)


def test_the_verdict_comes_first_and_every_section_is_there(made):
    page = Page(made.to_html())
    sections = [attributes for tag, attributes in page.elements if tag in {"section", "details"}]
    assert sections[0]["aria-label"] == "Verdict"
    anchors = [attributes["id"] for attributes in sections[1:]]
    assert anchors[:2] == ["results", "learning-curves"]
    assert anchors[3:7] == ["warnings", "failures", "what-was-run", "how-to-reproduce-it"]
    assert page.text.index("is best") < page.text.index("Results")


def test_failures_have_their_reason_and_the_first_line_of_the_error(made):
    (row,) = made.tables["failures"].rows(named=True)
    assert (row["reason"], row["error"]) == ("exception", f"Error: {EVIL}")


def test_the_page_says_how_to_do_it_again(made):
    text = Page(made.to_html()).text
    assert "cd '/home/me/my project'\n/usr/bin/python train.py --lr 1" in text
    assert f"git checkout {'a' * 40}" in text
    assert "torch==2.4.0" in text


def test_the_same_runs_give_the_same_bytes(grid):
    assert report(grid).to_html() == report(grid).to_html()


def test_a_notebook_shows_the_report_without_a_page_around_it(made):
    shown = made._repr_html_()
    Page(shown)
    assert "<html" not in shown
    assert "is best" in shown


@given(text=st.text(alphabet=st.characters(codec="utf-8"), max_size=30))
@settings(max_examples=30, deadline=None)
def test_whatever_the_text_a_page_stays_whole(text):
    known = Page(page_of(of_text("x")))
    page = Page(page_of(of_text(text)))
    shape = [name for name, _ in page.elements if name != "code"]
    assert set(shape) <= {name for name, _ in known.elements}


@given(text=st.text(alphabet=st.characters(codec="utf-8", exclude_characters="\0"), max_size=30))
@settings(max_examples=30, deadline=None)
def test_whatever_the_text_markdown_keeps_its_shape(text):
    def shape(source):
        tokens = MarkdownIt("commonmark").enable("table").parse(markdown_of(source, lambda _: "p.png"))
        return [token.type for token in tokens], tokens

    kinds, tokens = shape(of_text(text.strip() + "x"))
    assert kinds == shape(of_text("x"))[0]
    inline = {child.type for token in tokens for child in token.children or ()}
    assert inline <= {"text", "text_special", "code_inline", "image", "softbreak"}


@given(text=st.text(alphabet=st.characters(codec="utf-8"), max_size=30))
@settings(max_examples=30, deadline=None)
def test_whatever_the_text_latex_has_only_our_commands(text):
    source = latex_of(of_text(text), lambda _: "p.pdf")
    known = set(re.findall(r"\\[A-Za-z]+", latex_of(of_text("x"), lambda _: "p.pdf")))
    ours = {r"\textbackslash", r"\textasciicircum", r"\textasciitilde", r"\textless", r"\textgreater"}
    ours |= {r"\textbar", r"\textquotedbl", r"\textquotesingle", r"\textasciigrave", r"\ensuremath"}
    ours |= {r"\pm", r"\times", r"\dots", r"\item", r"\texttt"}
    assert set(re.findall(r"\\[A-Za-z]+", source)) <= known | ours
    bare = re.sub(r"\\[{}$&#%_\\]", "", source)
    assert bare.count("{") == bare.count("}")
    assert source.count("$") == source.count(r"\$")


@pytest.mark.parametrize(
    ("cell", "written"),
    [
        ("=HYPERLINK(1)", "'=HYPERLINK(1)"),
        ("@SUM(1)", "'@SUM(1)"),
        ("+x", "'+x"),
        ("-1.5", "-1.5"),
        ("a,b", "a,b"),
    ],
)
def test_no_cell_of_a_csv_file_is_a_formula(cell, written, tmp_path):
    whole = Report("t", "s", ("v",), (), (Section("S", (table(cell),)),))
    path = whole.save(tmp_path / "r.csv")
    rows = list(csv.reader(io.StringIO(path.read_text())))
    assert rows == [["name", "value"], [written, "1.0"]]


def test_pictures_and_further_tables_lie_beside(made, tmp_path):
    for ending in (".html", ".md", ".tex", ".csv"):
        made.save(tmp_path / f"r{ending}")
    names = {path.name for path in (tmp_path / "r_files").iterdir()}
    assert {"curves.png", "curves.pdf", "runs.csv", "failures.csv"} <= names
    for link in re.findall(r"!\[[^]]*\]\(<([^>]+)>\)", (tmp_path / "r.md").read_text()):
        assert (tmp_path / link).read_bytes().startswith(b"\x89PNG")
    for link in re.findall(r"\\detokenize\{([^}]+)\}", (tmp_path / "r.tex").read_text()):
        assert (tmp_path / link).read_bytes().startswith(b"%PDF")


@pytest.mark.parametrize("ending", [".html", ".md", ".tex", ".csv"])
def test_a_report_is_replaced_and_nothing_else_is(made, tmp_path, ending):
    path = tmp_path / f"r{ending}"
    made.save(path)
    made.save(path)
    path.write_text("my own notes")
    with pytest.raises(ReportError, match="not made by spinup report"):
        made.save(path)
    assert path.read_text() == "my own notes"
    made.save(path, force=True)
    assert path.read_text() != "my own notes"


def test_a_link_is_not_followed(made, tmp_path):
    (tmp_path / "precious").write_text("")
    (tmp_path / "r.html").symlink_to(tmp_path / "precious")
    with pytest.raises(ReportError):
        made.save(tmp_path / "r.html")
    assert (tmp_path / "precious").read_text() == ""


@pytest.mark.parametrize("name", ["r.pdf", "r"])
def test_an_ending_that_is_no_reports_is_an_error(made, tmp_path, name):
    with pytest.raises(ReportError, match=r"Known: \.html, \.md, \.tex, \.csv"):
        made.save(tmp_path / name)


def test_a_picture_keeps_to_itself():
    document = (
        '<?xml version="1.0"?><!DOCTYPE svg><svg width="1pt" viewBox="0 0 1 1"><metadata>2026</metadata>'
        '<style type="text/css">*{}</style><!-- a > b --><g id="axes_1"><use xlink:href="#m1"/></g>'
        '<path clip-path="url(#p1)"/></svg>'
    )
    one, other = element_of(document, "a"), element_of(document, "b c")
    assert "2026" not in one
    assert "<style" not in one
    assert "<!" not in one
    assert 'id="a-axes_1"' in one
    assert 'xlink:href="#a-m1"' in one
    assert "url(#b-c-p1)" in other
