# Is a page of a record what it says it is: whole, without scripts, without anything from elsewhere, and with what a screen
# reader needs? read_page.py FILE [TEXT...]: each TEXT must be read on it.
import html.parser, sys

TAGS = set("""html head meta title style body header h1 h2 h3 h4 h5 p nav ol li a main section dl dt dd div table caption
thead tbody tr th td code pre span bdi time""".split())
ATTRIBUTES = set("""lang charset http-equiv content name id class href scope datetime aria-label aria-labelledby tabindex
role""".split())
VOID = {"meta"}


class Page(html.parser.HTMLParser):
    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.open, self.text, self.level, self.captions, self.tables = [], [], 0, 0, 0

    def handle_starttag(self, tag, attrs):
        assert tag in TAGS, f"a tag <{tag}>"
        for k, v in attrs:
            assert k in ATTRIBUTES, f"an attribute {k} of <{tag}>"
            assert k != "href" or v.startswith("#"), f"a link to {v}"
        if tag[0] == "h" and tag[1:].isdigit():
            assert int(tag[1]) <= self.level + 1, f"<{tag}> below level {self.level}"
            self.level = int(tag[1])
        self.tables += tag == "table"
        self.captions += tag == "caption"
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open and self.open.pop() == tag, f"</{tag}> closes something else"

    def handle_data(self, data):
        if "style" not in self.open:
            self.text.append(data)
        else:
            assert "url(" not in data and "@import" not in data, "a style from elsewhere"

    def handle_pi(self, data):
        raise AssertionError("a processing instruction")

    handle_comment = unknown_decl = handle_pi


with open(sys.argv[1], encoding="utf-8") as f:
    source = f.read()
page = Page()
page.feed(source)
page.close()
assert source.startswith('<!DOCTYPE html>\n<html lang="en">') and not page.open
assert "default-src 'none'" in source
assert page.tables == page.captions > 0
words = " ".join("".join(page.text).split())
for wanted in sys.argv[2:]:
    assert wanted in words, f"'{wanted}' is not on it"
