#!/usr/bin/env bats
# The figures, each from a real run, and the site that make site builds.

load helper/course

SITE=$BATS_FILE_TMPDIR/site

setup_file() {
    if command -v pandoc >/dev/null; then
        "$TREE/site/build" "$BATS_FILE_TMPDIR/site"
    fi
}

# needs_site - for a test of what was built
needs_site() {
    command -v pandoc >/dev/null || skip 'pandoc is not installed (lab/setup site)'
}

# chunks FILE.svg - the chunks of a ladder, in order, without the numbers that differ from run to run
chunks() {
    sed -n 's/^<desc id="desc">[^:]*: //p' "$1" | sed 's/; /\n/g' | sed -E 's/ (a_rwnd|addresses|out|in) .*//; s/\.<\/desc>$//'
}

# bats test_tags=host
@test "figures: each has a recipe, is shown with a text for who cannot see it, and names no path of a machine" {
    local figure name
    cd "$TREE/figures"
    assert_equal "$(./draw -l | sort)" "$(printf '%s\n' *.svg | sed 's/\.svg$//' | sort)"
    for figure in *.svg; do
        grep -qE '!\[[^]]{20,}\]\(figures/'"$figure"'\)' ../TUTORIAL.md ../README.md || fail "neither TUTORIAL.md nor README.md shows $figure with a text"
        xmllint --noout "$figure"
        grep -q '<title id="title">[^<]' "$figure" || fail "$figure has no title"
        ! grep -nE '/(tmp|home|root|usr|var|dev|mnt|opt|work)/' "$figure" || fail "$figure names a path"
    done
    run ./draw 99-nothing
    assert_failure 2
    run ./draw -h
    assert_success
    for name in $(./draw -l); do
        [[ $(<draw) == *"        $name)"* ]] || fail "no recipe for $name"
    done
}

# bats test_tags=host
@test "figures: each can be read on dark ground" {
    cd "$TREE/figures"
    python3 - ./*.svg <<'END_OF_PYTHON'
import re, sys

def luminance(colour):
    parts = [int(colour[i:i + 2], 16) / 255 for i in (1, 3, 5)]
    r, g, b = [p / 12.92 if p <= 0.03928 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * r + 0.7152 * g + 0.0722 * b

for name in sys.argv[1:]:
    text = open(name).read()
    dark = re.search(r'prefers-color-scheme: dark\) \{(.*?)\n *\}\s*\n?</style>', text, re.S)
    assert dark, name + ' has no colours for dark ground'
    dark, body = dark.group(1), text[text.index('</style>'):]
    for attribute, colour in set(re.findall(r'(fill|stroke)=["\'](?!none|currentColor)([^"\']*)["\']', body)):
        assert '[%s="%s"]' % (attribute, colour) in dark, '%s: %s="%s" stays as it is on dark ground' % (name, attribute, colour)
    ground = re.search(r'\.ground \{ fill: (#\w{6})', dark) or re.search(r'\[fill="#ffffff"\] \{ fill: (#\w{6})', dark)
    ink = re.search(r'(?<![\w.])text \{ fill: (#\w{6})', dark) or re.search(r'\[fill="black"\] \{ fill: (#\w{6})', dark)
    contrast = (luminance(ink.group(1)) + 0.05) / (luminance(ground.group(1)) + 0.05)
    assert contrast > 7, '%s: text on dark ground has a contrast of %.1f' % (name, contrast)
END_OF_PYTHON
}

# bats test_tags=host
@test "figures: made anew, ladders have the same chunks in the same order, and message boundaries are where they were" {
    local name
    "$TREE/figures/draw" -o "$BATS_TEST_TMPDIR" 01-association 02-implicit-set-up 01-boundaries
    for name in 01-association 02-implicit-set-up; do
        (($(chunks "$TREE/figures/$name.svg" | wc -l) >= 9)) || fail "$name has few chunks: $(chunks "$TREE/figures/$name.svg")"
        assert_equal "$(chunks "$BATS_TEST_TMPDIR/$name.svg")" "$(chunks "$TREE/figures/$name.svg")"
    done
    cmp "$BATS_TEST_TMPDIR/01-boundaries.svg" "$TREE/figures/01-boundaries.svg"
}

# bats test_tags=host
@test "site: every link leads somewhere within it, nothing is fetched from elsewhere, every picture has a text" {
    needs_site
    python3 - "$SITE" <<'END_OF_PYTHON'
import os, re, sys
from html.parser import HTMLParser
from urllib.parse import unquote

site = sys.argv[1]
wrong = []
pages = {}

class Page(HTMLParser):
    def __init__(self, path):
        super().__init__()
        self.path, self.ids, self.links, self.tags = path, set(), [], {}
        self.feed(open(path, encoding='utf-8').read())

    def complain(self, what):
        wrong.append('%s: %s' % (os.path.relpath(self.path, site), what))

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        self.tags[tag] = self.tags.get(tag, 0) + 1
        if 'id' in attributes:
            if attributes['id'] in self.ids:
                self.complain('two elements have the id ' + attributes['id'])
            self.ids.add(attributes['id'])
        if tag == 'img' and not attributes.get('alt'):
            self.complain('a picture without a text')
        if tag in ('script', 'iframe', 'object', 'embed') or 'style' in attributes or any(a.startswith('on') for a in attributes):
            self.complain('there is a ' + tag + ' with ' + str(attributes))
        for name in ('href', 'src', 'srcset', 'data'):
            if name in attributes:
                target = attributes[name]
                if re.match('[a-z]+:|//', target) and not (tag == 'a' and target.startswith('https://')) and target != 'data:,':
                    self.complain('it would fetch ' + target)
                elif not re.match('[a-z]+:', target):
                    self.links.append(target)

for folder, _, names in os.walk(site):
    for name in names:
        path = os.path.join(folder, name)
        if name.endswith('.html'):
            pages[path] = Page(path)
        elif name.endswith(('.css', '.svg')):
            text = open(path, encoding='utf-8').read()
            if re.search(r'@import|url\(|href=["\'](?!#)', text):
                wrong.append(name + ' fetches something')
for page in pages.values():
    for link in page.links:
        path, _, identifier = link.partition('#')
        target = os.path.normpath(os.path.join(os.path.dirname(page.path), unquote(path))) if path else page.path
        if not target.startswith(site + os.sep) or not os.path.isfile(target):
            page.complain('no ' + link)
        elif identifier and (target not in pages or identifier not in pages[target].ids):
            page.complain('no place ' + link)
    for tag in ('h1', 'main', 'title', 'header'):
        if page.tags.get(tag) != 1:
            page.complain('%s times %s' % (page.tags.get(tag, 0), tag))
assert len(pages) > 100, 'only %d pages' % len(pages)
sys.exit('\n'.join(wrong) or 0)
END_OF_PYTHON
    ! grep -rlF "$TREE" "$SITE" || fail 'the site names a path of this machine'
}

# bats test_tags=host
@test "site: a program's page has the program, and leads to its chapter, which leads to it; so do excerpts" {
    needs_site
    local program folder chapter text
    cd "$TREE"
    for program in 0*/*.c appendix/*.c; do
        folder=${program%%/*}
        chapter=$folder.html
        [[ -f $SITE/$chapter ]] || fail "no chapter for $program: $chapter"
        grep -q "Read about it in: .*href=\"\.\./$chapter\"" "$SITE/$program.html" || fail "$program.html does not lead to $chapter"
        grep -q "Programs of this chapter: .*href=\"$program.html\"" "$SITE/$chapter" || fail "$chapter does not lead to $program"
        cmp "$program" "$SITE/$program"
        text=$(xmllint --html --xpath 'string(//pre[contains(@class, "sourceCode")])' "$SITE/$program.html" 2>/dev/null)
        assert_equal "$text" "$(expand -t 4 "$program")"
        grep -q '<span class="dt">' "$SITE/$program.html" || fail "$program is not highlighted"
    done
    # The line that an excerpt leads to is the excerpt's first.
    assert_equal "$(grep -c 'class="from"' "$SITE"/0*.html "$SITE"/appendix*.html | awk -F : '{ n += $2 } END { print n }')" "$(grep -c '^```c ' TUTORIAL.md)"
    while IFS=' ' read -r program line text; do
        assert_equal "$(sed -n "${line}p" "$program" | tr -d ' ')" "$text"
    done < <(awk '/^```c / { path = $2; getline; gsub(/ /, ""); print path "\t" $0 }' TUTORIAL.md | while IFS=$'\t' read -r program text; do
        printf '%s %s %s\n' "$program" "$(awk -v text="$text" '{ gsub(/ /, "") } $0 == text { print NR; exit }' "$program")" "$text"
    done)
    grep -q "href=\"01-one-to-one/echo_server.c.html#L-$(grep -n 'int fd = socket' 01-one-to-one/echo_server.c | cut -d : -f 1)\"" "$SITE/01-one-to-one.html"
}

# bats test_tags=host
@test "site: there are contents, previous and next chapter; prompts are not copied with commands" {
    needs_site
    local page previous='' next seen=1
    cd "$SITE"
    page=index.html
    while next=$(grep -o 'class="next" rel="next" href="[^"]*"' "$page" | sed 's/.*href="//; s/"//') && [[ -n $next ]]; do
        previous=$page page=$next seen=$((seen + 1))
        grep -q "class=\"previous\" rel=\"prev\" href=\"$previous\"" "$page" || fail "$page does not lead back to $previous"
        grep -q 'aria-current="page"' "$page" || fail "the contents of $page do not show where one is"
    done
    assert_equal "$seen" "$(($(grep -c '^## ' "$TREE/TUTORIAL.md") + 1))"
    assert_equal "$(cat -- *.html lab/readme.html | grep -c '<span class="prompt">lab# </span><kbd>')" "$(grep -c '^ *lab# ' "$TREE"/{TUTORIAL,README,lab/README}.md | awk -F : '{ n += $2 } END { print n }')"
    grep -q '^\.prompt {.*user-select: none' style.css
    for page in "$TREE"/{README,INSTRUCTORS,CONTRIBUTING,CHANGELOG}.md; do
        page=${page##*/}
        [[ ! -f $TREE/$page ]] || [[ -f ${page%.md}.html || -f $(tr '[:upper:]' '[:lower:]' <<<"${page%.md}").html ]] || fail "$page is not in the site"
    done
}

# bats test_tags=host
@test "site: HTML is valid, colours have a contrast of 4.5 at least, light and dark" {
    needs_site
    command -v tidy >/dev/null || skip 'tidy is not installed (lab/setup test)'
    local page said
    while IFS= read -r page; do
        # tidy 5.6 does not know this attribute yet (WAI-ARIA 1.1).
        said=$(tidy -q -e --show-info no "$page" 2>&1 | grep -v 'proprietary attribute "aria-current"') || true
        [[ -z $said ]] || fail "${page#"$SITE"/}: $said"
    done < <(find "$SITE" -name '*.html')
    python3 - "$SITE/style.css" <<'END_OF_PYTHON'
import re, sys

def luminance(colour):
    parts = [int(colour[i:i + 2], 16) / 255 for i in (1, 3, 5)]
    r, g, b = [p / 12.92 if p <= 0.03928 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * r + 0.7152 * g + 0.0722 * b

themes = [dict(re.findall(r'--([\w-]+): (#\w{6})', block)) for block in re.findall(r':root \{(.*?)\}', open(sys.argv[1]).read(), re.S)[:2]]
assert len(themes) == 2 and themes[0].keys() == themes[1].keys(), themes
for theme in themes:
    for name, colour in theme.items():
        for ground in ('ground', 'code-ground') + (('mark',) if name == 'ink' else ()):
            if name in ('ground', 'code-ground', 'line', 'mark'):
                continue
            light, dark = sorted((luminance(colour), luminance(theme[ground])), reverse=True)
            contrast = (light + 0.05) / (dark + 0.05)
            assert contrast >= 4.5, '%s %s on %s: %.2f' % (name, colour, theme[ground], contrast)
END_OF_PYTHON
}

# bats test_tags=host
@test "site: a link that leads nowhere is an error, named" {
    needs_site
    local course=$BATS_TEST_TMPDIR/course
    mkdir "$course"
    cp -R "$TREE"/{0*,appendix,common,figures,site,lab,bench,grade,tests,LICENSE,*.md} "$course"
    printf '\n[where?](no/such/file.c)\n' >>"$course/TUTORIAL.md"
    run "$course/site/build" "$BATS_TEST_TMPDIR/out"
    assert_failure
    assert_output --partial 'TUTORIAL.md: no file no/such/file.c'
    [[ ! -e $BATS_TEST_TMPDIR/out ]] || fail 'a broken site was left'
}
