"""A text of headings, paragraphs, tables and pictures, written as one page of HTML that needs nothing else, or as
Markdown with its pictures beside it. What is in a cell or a paragraph is plain text: both ways of writing escape
it."""

import dataclasses
import html
import re

STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; color: #111; background: #fff }
body { margin: 2em auto; max-width: 75em; padding: 0 1em }
h1, h2, h3 { line-height: 1.2 } h2 { margin-top: 2em; border-bottom: 1px solid #bbb }
.wide { overflow-x: auto } table { border-collapse: collapse; font-size: 14px; font-variant-numeric: tabular-nums }
th, td { border-bottom: 1px solid #ddd; padding: .25em .7em; text-align: left; vertical-align: top }
th { border-bottom: 2px solid #888 } td.number, th.number { text-align: right; white-space: nowrap }
figure { margin: 1.5em 0 } figure svg { max-width: 100%; height: auto } figcaption { color: #444; font-size: 14px }
"""


@dataclasses.dataclass(frozen=True)
class Heading:
    text: str
    level: int = 2


@dataclasses.dataclass(frozen=True)
class Paragraph:
    text: str


@dataclasses.dataclass(frozen=True)
class Items:
    texts: tuple


@dataclasses.dataclass(frozen=True)
class Table:
    head: tuple
    rows: tuple
    numbers_from: int = 1   # columns from this one on are numbers


@dataclasses.dataclass(frozen=True)
class Picture:
    name: str               # of its file
    caption: str
    svg: str


def as_html(title, parts):
    body = "\n".join(html_of(part) for part in parts)
    return (f'<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
            f'<meta name="viewport" content="width=device-width">\n<title>{html.escape(title)}</title>\n'
            f"<style>{STYLE}</style>\n</head>\n<body>\n<h1>{html.escape(title)}</h1>\n{body}\n</body>\n</html>\n")


def html_of(part):
    if isinstance(part, Heading):
        return f"<h{part.level}>{html.escape(part.text)}</h{part.level}>"
    if isinstance(part, Paragraph):
        return f"<p>{html.escape(part.text)}</p>"
    if isinstance(part, Items):
        return "<ul>\n" + "\n".join(f"<li>{html.escape(text)}</li>" for text in part.texts) + "\n</ul>"
    if isinstance(part, Picture):
        caption = html.escape(part.caption)
        return f"<figure>\n{inline(part)}\n<figcaption>{caption}</figcaption>\n</figure>"
    return f'<div class="wide"><table>\n{html_row(part.head, "th", part)}\n' + "\n".join(
        html_row(row, "td", part) for row in part.rows) + "\n</table></div>"


def html_row(row, tag, table):
    def one(i, text):
        return f'<{tag}{" class=number" if i >= table.numbers_from else ""}>{html.escape(str(text))}</{tag}>'
    return "<tr>" + "".join(one(i, text) for i, text in enumerate(row)) + "</tr>"


def inline(picture):
    """Without the lines that only a file of its own may begin with. Names within a picture are made its own: a page
    has one space of names for all of them."""
    svg = picture.svg[picture.svg.index("<svg"):]
    svg = re.sub(r'\bid="', f'id="{picture.name}-', svg)
    svg = re.sub(r'(xlink:href="#|href="#|url\(#)(?!' + re.escape(picture.name) + "-)", rf"\1{picture.name}-", svg)
    return svg.replace("<svg ", f'<svg role="img" aria-label="{html.escape(picture.caption, quote=True)}" ', 1)


def as_markdown(title, parts, folder):
    return "\n\n".join([f"# {title}", *(markdown_of(part, folder) for part in parts)]) + "\n"


def markdown_of(part, folder):
    if isinstance(part, Heading):
        return f"{'#' * part.level} {part.text}"
    if isinstance(part, Paragraph):
        return wrapped(part.text)
    if isinstance(part, Items):
        return "\n".join(f"- {text}" for text in part.texts)
    if isinstance(part, Picture):
        return f"![{part.caption}]({folder}/{part.name}.svg)"
    lines = [part.head, ["--:" if i >= part.numbers_from else "---" for i in range(len(part.head))], *part.rows]
    return "\n".join("| " + " | ".join(str(text).replace("|", "\\|") for text in line) + " |" for line in lines)


def wrapped(text, width=118):
    lines = [""]
    for word in text.split():
        if lines[-1] and len(lines[-1]) + 1 + len(word) > width:
            lines.append("")
        lines[-1] += (" " if lines[-1] else "") + word
    return "\n".join(lines)
