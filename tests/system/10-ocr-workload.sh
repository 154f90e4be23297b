#!/bin/sh
# The demo's workload by itself: plates are read, models exchanged under load, and what is no plate is refused.
set -u
src=${BACKSTAY_SRC:-$(cd "$(dirname "$0")/../.." && pwd)}
bin=${BACKSTAY_BIN:-$src/build/gcc-debug/bin}
tmp=$(mktemp -d "${TMPDIR:-/tmp}/ocr.XXXXXX")
server= load= bad=0 n=0
trap 'kill $server $load 2>/dev/null; wait; rm -rf "$tmp"' EXIT

# check TEXT COMMAND...: one line per check
check() {
	text=$1
	shift
	n=$((n + 1))
	if "$@" >"$tmp/out" 2>&1; then
		echo "ok    $text"
	else
		echo "WRONG $text"
		sed 's/^/      /' "$tmp/out"
		bad=1
	fi
}

# is WANTED COMMAND...: the command prints exactly that
is() {
	wanted=$1
	shift
	got=$("$@")
	[ "$got" = "$wanted" ] && return
	echo "expected: $wanted"
	echo "got:      $got"
	return 1
}

fails_with() {
	wanted=$1
	shift
	"$@"
	is "$wanted" echo $?
}

infer() { curl -s --max-time 20 --data-binary "@$1" "$url/infer"; }
text_of() { infer "$1" | jq -r .text; }
status() { curl -s --max-time 20 -o "$tmp/body" -w '%{http_code}' "$@"; }
reload() { status -d "{\"slot_dir\":\"$1\"}" "$url/reload-model"; }
field() { curl -s --max-time 20 "$url$1" | jq -r "$2"; }
metric() { curl -s "$url/metrics" | awk -v m="$1" '$1 == m { print $2 }'; }
golden() { "$tmp/$1/serve/bin/ocr-golden" --slot "$tmp/$1"; }

# stream_sees RELEASE: reads the stream's lines until one says that RELEASE has answered.
stream_sees() {
	while read -r line <&3; do
		case $line in *"\"release\":\"$1\""*) return 0 ;; esac
	done
	echo "the stream ended without an answer of $1"
	return 1
}

# Every line of the page is a comment, or a name with labels and a number.
metrics_well_formed() {
	curl -s "$url/metrics" >"$tmp/page"
	grep -c . "$tmp/page"
	! grep -vE '^(# (HELP|TYPE) .+|[a-z_]+(\{([a-z]+="[^"]*",?)+\})? [0-9.e+-]+)$' "$tmp/page"
}

# The histogram's last bucket is its count.
histogram_closes() {
	is "$(metric infer_seconds_count)" metric 'infer_seconds_bucket{le="+Inf"}'
}

"$src/manifests/examples/ocr/mk-releases" "$bin" "$tmp/releases" || exit 1
for release in 1 2 3 4; do
	"$src/manifests/examples/ocr/mk-releases" slot "$tmp/releases" $release "$tmp/slot-$release" || exit 1
done
plates=$tmp/slot-1/serve/golden
name=$(head -1 "$plates/truth.tsv" | cut -f1)
truth=$(head -1 "$plates/truth.tsv" | cut -f2)

check "release 2 reads its golden set" golden slot-2
check "release 4 reads its golden set" golden slot-4
# A sanitizer's shadow alone is larger than that.
grep -q __asan_init "$bin/ocr-golden" ||
	check "release 4 does so within 1 GiB" sh -c "ulimit -v 1048576; '$tmp/slot-4/serve/bin/ocr-golden' --slot '$tmp/slot-4'"
check "release 3 does not, and says so by its exit" fails_with 70 golden slot-3
golden slot-3 >"$tmp/greek" 2>&1
check "the letters that differ are Greek" grep -q 'expected, U+03[0-9A-F][0-9A-F] read' "$tmp/greek"

# The service opens its socket before it writes the file, and curl asks until somebody answers.
mkfifo "$tmp/stdout"
(cd "$tmp/slot-1" && exec serve/bin/ocr-serve --port-file "$tmp/port") >"$tmp/stdout" 2>"$tmp/log" &
server=$!
read -r line <"$tmp/stdout"
url=http://${line#listening on }
check "the port is the one in the file" is "127.0.0.1:$(cat "$tmp/port")" echo "${url#http://}"
check "healthz is good" is 200 status --retry 20 --retry-connrefused --retry-delay 1 "$url/healthz"
check "healthz names the slot" is slot-1 field /healthz .slot
check "healthz names the release" is ocr-1 field /healthz .release
check "a plate is read right" is "$truth" text_of "$plates/$name"

# Its lines are read when something is to be known, so that it is never the clock that says what the stream has seen.
mkfifo "$tmp/lines"
"$bin/ocr-load" --target "$url" --plates "$plates" --rate 10 --report 0.1 >"$tmp/lines" &
load=$!
exec 3<"$tmp/lines"
check "the Greek model loads" is 200 reload "$tmp/slot-3"
check "the stream is answered by it" stream_sees ocr-3
check "it answers from the new slot" is slot-3 field /healthz .slot
greek=$(text_of "$plates/$name")
check "its answer is another text" test -n "$greek" -a "$greek" != "$truth"
check "of as many letters" is ${#truth} sh -c "printf %s '$greek' | LC_ALL=C.UTF-8 wc -m"
check "a slot without a model is refused" is 500 reload "$tmp/releases"
check "and the reason is told" jq -e '.reason | test("serve.conf")' "$tmp/body"
check "the old model goes on" is slot-3 field /healthz .slot
mkdir -p "$tmp/slot-5" && cp -a "$tmp/slot-4/." "$tmp/slot-5"
echo damaged >"$tmp/slot-5/models/tessdata/eng.traineddata"
check "a damaged model is refused" is 500 reload "$tmp/slot-5"
check "the old model still goes on" is "$greek" text_of "$plates/$name"
check "the English and Latin models load" is 200 reload "$tmp/slot-4"
check "and read right" is "$truth" text_of "$plates/$name"
check "back to release 2" is 200 reload "$tmp/slot-2"
check "which reads right" is "$truth" text_of "$plates/$name"
check "the stream is answered by it again" stream_sees ocr-2
kill "$load"
tail -1 <&3 >"$tmp/load"
wait "$load"
load=
exec 3<&-
check "not one request failed while models were exchanged" jq -e '.targets[0] | .failed == 0 and .requests > 10' "$tmp/load"
check "the stream saw wrong answers of the Greek model only" \
	jq -e '.targets[0].releases | .["ocr-3"].wrong > 0 and .["ocr-2"].wrong == 0' "$tmp/load"

errors=$(metric infer_errors_total) rejects=$(metric infer_rejects_total)
check "no image: 400" is 400 status --data-binary "@$plates/truth.tsv" "$url/infer"
head -c 3000 "$plates/$name" >"$tmp/torn.png"
check "half an image: 400" is 400 status --data-binary "@$tmp/torn.png" "$url/infer"
printf 'P5 65000 65000 255\n' >"$tmp/huge.pgm"
check "an image of 4 GB: 413" is 413 status --data-binary "@$tmp/huge.pgm" "$url/infer"
head -c 2000000 /dev/zero >"$tmp/big"
check "a body of 2 MB: 413" is 413 status -H Expect: --data-binary "@$tmp/big" "$url/infer"
check "an order that is no JSON: 400" is 400 status -d '{"slot_dir":' "$url/reload-model"
check "a relative slot: 400" is 400 reload slot-1
check "another method: 405" is 405 status "$url/infer"
check "another path: 404" is 404 status "$url/"
check "bad images count as rejects" is $((rejects + 4)) metric infer_rejects_total
check "and not as errors of the service" is "$errors" metric infer_errors_total
check "the page is well-formed" metrics_well_formed
check "the latency histogram closes" histogram_closes
check "reloads are counted" is 3 metric 'reloads_total{result="ok"}'
check "failed reloads, too" is 2 metric 'reloads_total{result="failed"}'
check "still in good health" is 200 status "$url/healthz"

kill -TERM "$server"
wait "$server"
check "SIGTERM ends it with 0" is 0 echo $?
server=
[ $bad = 0 ] && echo "== $n checks"
exit $bad
