#!/usr/bin/env bash
# The HTML report of kdl audit in a browser (Chromium, without a window): its filter, bars and pictures work, in light and dark, and nothing is asked of any network.
# Without Chromium everything is skipped, or fails where BROWSER_REQUIRED=1. Screenshots are kept in $BUILD/tests/page.
. "$(dirname "$0")/common.sh"
if ! command -v chromium > /dev/null; then
    [ "${BROWSER_REQUIRED:-}" != 1 ] || { echo "not ok 1 - no chromium"; echo 1..1; exit 1; }
    echo "1..0 # SKIP no chromium"; exit 0
fi
plan 14
pa=$(free_port)
a=127.0.0.1:$pa
start_refbroker a "$pa"
"$kdl" mirror load tests/quickstart/sample.kdl -b "$a" > /dev/null 2>&1; is "an estate is there" $? 0
long=$(printf 'long-%.0s' $(seq 30))
"$kdl" topic create "$long" -b "$a" > /dev/null
"$kdl" audit -b "$a" -q --snapshot "$work/a.kdla" -o html --tie "payments.orders,$long" > "$work/page.html"; is "and its report" $? 0
"$kdl" audit report --from "$work/a.kdla" -o json --tie "payments.orders,$long" > "$work/json"

# What a user does is done by a script behind the page, which leaves what it saw as JSON.
{
    cat "$work/page.html"
    cat << 'EOF'
<script id="look">(function () {
    var shown = function () {
        return Array.from(document.querySelectorAll('tbody')).filter(function (b) { return b.getClientRects().length > 0; })
            .map(function (b) { return b.querySelector('td.t').textContent; });
    };
    var type = function (text) { var f = document.getElementById('f'); f.value = text; f.dispatchEvent(new Event('input', { bubbles: true })); return shown(); };
    var decide = function () { document.getElementById('d').click(); return shown(); };
    var width = function (r) { return r.getBoundingClientRect().width; };
    var saw = { all: shown(), streams: type('wordcount'), rule: type('TXN-001'), none: type('no such thing'), count: document.getElementById('c').textContent };
    type('');
    saw.decide = decide();
    decide();
    saw.bars = Array.from(document.querySelectorAll('.chart svg')).map(function (s) {
        return { name: s.getAttribute('aria-label'), parts: Array.from(s.querySelectorAll('rect')).map(function (r) { return width(r) / width(s); }) };
    });
    saw.figures = Array.from(document.querySelectorAll('figure')).map(function (f) {
        var svg = f.querySelector('svg').getBoundingClientRect();
        return { caption: f.querySelector('figcaption').textContent, texts: Array.from(f.querySelectorAll('text')).map(function (t) { return t.querySelector('title').textContent; }),
            lines: f.querySelectorAll('path').length,
            inside: Array.from(f.querySelectorAll('text')).every(function (t) {
                var b = t.getBoundingClientRect(); return b.left >= svg.left && b.right <= svg.right && b.top >= svg.top - 1 && b.bottom <= svg.bottom + 1; }) };
    });
    document.querySelector('details').open = true;
    saw.evidence = document.querySelector('details ul').getClientRects().length;
    saw.wide = document.documentElement.scrollWidth - document.documentElement.clientWidth;
    saw.dark = getComputedStyle(document.body).backgroundColor;
    saw.requests = performance.getEntriesByType('resource').map(function (r) { return r.name; });
    document.body.textContent = JSON.stringify(saw);
})()</script>
EOF
} > "$work/looked.html"
# The browser would look for its own updates: it gets no names.
browser() { # FLAG...
    HOME=$work timeout 120 chromium --headless --no-sandbox --disable-gpu --disable-dev-shm-usage --user-data-dir="$work/profile" --no-first-run --host-resolver-rules='MAP * ~NOTFOUND' \
        --window-size=1300,1600 "$@" 2>> "$work/browser.err"
}
look() { browser "${@:2}" --dump-dom "file://$work/looked.html" | sed -n "s/.*<body>\\({.*}\\)\$/\\1/p" | sed 's/&amp;/\&/g; s/&lt;/</g; s/&gt;/>/g' > "$1"; }
look "$work/saw" --log-net-log="$work/net" --net-log-capture-mode=Everything
saw() { jq -r "$1" "$work/saw"; }
json() { jq -r "$1" "$work/json"; }
is "a browser shows each topic, in the report's order" "$(saw '.all | join(" ")')" "$(json '[.topics[].name] | join(" ")')"
is "the filter finds topics by name" "$(saw '.streams | sort | join(" ")')" "$(json '[.topics[] | select(tostring | ascii_downcase | contains("wordcount")) | .name] | sort | join(" ")')"
is "and by rule" "$(saw '.rule | sort | join(" ")')" "$(json '[.topics[] | select([.findings[].rule] | index("TXN-001")) | .name] | sort | join(" ")')"
is "it says how many it shows" "$(saw '(.none | length | tostring) + ", " + .count')" "0, 0 of $(json '.topics | length') topics"
is "one click leaves what needs a decision" "$(saw '.decide | sort | join(" ")')" "$(json '[.topics[] | select([.verdicts[].verdict] | any(. != "READY")) | .name] | sort | join(" ")')"
parts() { json '["coordinated", "wal"][] as $d | [$d] + [["READY", "READY_WITH_CHANGES", "UNKNOWN", "BLOCKED"][] as $v | [.topics[] | select(.verdicts[$d].verdict == $v)] | length] | map(tostring) | join(" ")'; }
is "bars are as long as there are topics of each verdict" "$(saw "(.all | length) as \$n | .bars[] | [.name] + [.parts[] * \$n | round | tostring] | join(\" \")")" "$(parts)"
is "each wave of several topics is drawn, with all that is in it" \
    "$(saw '.figures[] | [.lines] + (.texts | sort) | map(tostring) | join(" ")')" \
    "$(json '.waves[] | select(.topics | length > 1) | [.ties[] | select(.topics | length > 1)] as $t | [[$t[].topics | length] | add] + ([.topics[], $t[].name] | sort) | map(tostring) | join(" ")')"
is "and inside its picture; nothing is too wide for the page" "$(saw '([.figures[].inside] | all | tostring) + " " + (.wide | tostring)')" "true 0"
is "evidence opens" "$(saw .evidence)" 1
# What Chromium's log of its network says: the requests of pages, not of the browser itself.
asked() { jq -r '.constants.logEventTypes.URL_REQUEST_START_JOB as $start | .events[] | select(.type == $start) | .params | select(.initiator != "not an origin") | .url // empty' "$1" | sort -u; }
is "nothing is asked of any network" "$(saw '.requests | length') $(asked "$work/net")" "0 "
{ cat "$work/page.html"; echo '<img src="http://nowhere.invalid/picture">'; } > "$work/asks.html"
browser --log-net-log="$work/asks" --net-log-capture-mode=Everything --dump-dom "file://$work/asks.html" > /dev/null
is "which would be seen" "$(asked "$work/asks")" "http://nowhere.invalid/picture"
mkdir -p "$BUILD/tests/page"
browser --screenshot="$PWD/$BUILD/tests/page/light.png" "file://$work/page.html" > /dev/null
browser --blink-settings=preferredColorScheme=0 --screenshot="$PWD/$BUILD/tests/page/dark.png" "file://$work/page.html" > /dev/null
look "$work/dark" --blink-settings=preferredColorScheme=0
is "in the dark it is dark; screenshots are kept" "$(jq -r .dark "$work/saw") $(jq -r .dark "$work/dark") $(head -qc 24 "$BUILD"/tests/page/*.png | grep -ac IHDR)" "rgb(255, 255, 255) rgb(18, 18, 18) 2"
