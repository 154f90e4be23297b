# A fleet that demands a gate: no report, no release; a bad report, no release; and envelopes are what other tools read and
# write. The other tool is Debian's in-toto with its signing library.
set -eu
. "$BACKSTAY_SRC/tests/system/lib.sh"
trap 'stop_all >/dev/null 2>&1' EXIT
service_command=code/bin/run watch_interval=100ms poll_interval=200ms
backstay=$BACKSTAY_BIN/backstay
gate=$BACKSTAY_SRC/manifests/gates/ocr-release.json
give=$BACKSTAY_SRC/manifests/examples/ocr/evidence/give

# fails WITH COMMAND...: the exit status is WITH, and what it said is in said.txt.
fails() {
	want=$1 rc=0
	shift
	"$@" >said.txt 2>&1 || rc=$?
	[ "$rc" = "$want" ] || { cat said.txt >&2; fail "$*: exit status $rc, not $want"; }
}

says() {
	grep -q -e "$1" said.txt || { cat said.txt >&2; fail "nothing said of: $1"; }
}

"$backstay" keys init keys --gate "$gate" >/dev/null
server_start
device_make one 0
device_start one
wait_until 20 "the device to register" "$backstay" device show one
parties_part

toy 1
"$backstay" release create toy/1/release.json --out packed/1 >/dev/null
fails 65 "$backstay" release gate packed/1 --gate "$gate" --keys keys
says 'hil .*missing'
"$backstay" release propose packed/1 --keys keys --hardware edge-x86 --counter 1 >/dev/null
fails 65 "$backstay" release approve packed/1 --role safety --keys party/safety --yes
says 'no summary says that it passed'
echo "== without evidence no party signs"

"$give" packed/1 keys 47 "$backstay"
"$backstay" evidence verify packed/1 --keys keys >/dev/null
fails 65 "$backstay" release gate packed/1 --gate "$gate" --keys keys
says 'missing *hil *metrics.p99_ms <= 45 *47'
[ ! -e packed/1/evidence/summary-ocr-release.dsse.json ] || fail "a summary of a gate that was not passed"
"$backstay" release gate packed/1 --gate "$gate" --keys keys --json 2>/dev/null | head -1 |
	jq -e '.met == false and ([.rows[] | select(.met | not)] | length) == 1' >/dev/null || fail "--json does not say what is missing"
echo "== a report of 47 ms does not pass <= 45"

"$give" packed/1 keys 44.25 "$backstay"
mv keys/evidence/verifier.pem verifier.kept
fails 66 "$backstay" release gate packed/1 --gate "$gate" --keys keys
says 'no key of the verifier'
mv verifier.kept keys/evidence/verifier.pem
"$backstay" release gate packed/1 --gate "$gate" --keys keys >/dev/null
cp -r packed/1 packed/later
approve_and_publish 1
"$backstay" release list --json | jq -e '.releases[0].gates | length == 1 and .[0].met' >/dev/null || fail "the list does not tell of the gate"
"$backstay" release show toy-1 | grep -q 'passed gate ocr-release' || fail "show does not tell of the gate"
toy_campaign 1
wait_until 60 "toy-1 to be committed" campaign_is to-1 done
runs one 1 || fail "toy-1 does not run"
"$backstay" report release toy-1 --output record.json
/usr/bin/python3 "$BACKSTAY_SRC/tests/system/check_schema.py" "$BACKSTAY_SRC/manifests/schema/release-record.json" record.json || fail "not what the schema says"
jq -e '.record | ([.evidence[] | select(.predicate)] | length) == 10 and .gates[0].met and .update_record.systems[0].typeApproved == false
	and ([.requirements[] | select(.paragraph | startswith("7.1.2.5")) | .state] | unique) == ["missing", "recorded"]' record.json >/dev/null ||
	{ jq '.record | .requirements, .evidence[].kind' record.json; fail "the record does not have what evidence states"; }
ls dev/one/documents/*.summary-0.json >/dev/null || fail "the device keeps no summary"
echo "== a release that passes goes out, and the device keeps the summary"

"$give" packed/later keys 44.5 "$backstay"
"$backstay" release propose packed/later --keys keys --hardware edge-x86 --counter 1 >/dev/null
fails 65 "$backstay" release approve packed/later --role safety --keys party/safety --yes
says 'made from other evidence'
echo "== evidence that came after the summary is not covered by it"

hotfix=$BACKSTAY_SRC/manifests/gates/ocr-hotfix.json
"$backstay" keys gate image-targets keys/repo --gate "$hotfix" --keys keys >/dev/null
fails 64 "$backstay" keys gate image-root keys/repo --gate "$hotfix" --keys keys
fails 64 "$backstay" keys gate image-targets keys/repo --kind weather --keys keys
"$backstay" keys gate image-targets keys/repo --kind update-record --keys keys >/dev/null
"$backstay" keys publish keys/repo >/dev/null
fails 65 "$backstay" campaign create again --release toy-1 --policy policy.json
says "does not pass its gates: gate $(sha256sum "$hotfix" | cut -c1-12)"
"$backstay" release list --json | jq -e '.releases[0].gates[0] | .met == false and (.missing | length) > 0' >/dev/null ||
	fail "the list does not tell that the new gate was not passed"
echo "== another gate is demanded, and what has not passed it opens no campaign"

# ---- other tools ----
mkdir -p other && cp -r packed/1 other/packed
/usr/bin/python3 - keys other/packed/evidence <<'PY'
"""What we write, Debian's securesystemslib verifies; what it signs, we shall verify."""
import base64, glob, json, sys
from securesystemslib import keys as sslib
from securesystemslib.signer import SSlibKey, SSlibSigner, Signature

folder, evidence = sys.argv[1:]

def pae(kind, payload):
    return b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload)

def message(envelope):
    return pae(envelope["payloadType"].encode(), base64.b64decode(envelope["payload"]))

targets = json.load(open(folder + "/repo/image/1.targets.json"))["signed"]["x-backstay-evidence"]
public = {i: SSlibKey(i, k["keytype"], k["scheme"], k["keyval"]) for i, k in targets["keys"].items()}
n = 0
for name in glob.glob(evidence + "/*.dsse.json"):
    envelope = json.load(open(name))
    for s in envelope["signatures"]:
        sig = Signature(s["keyid"], base64.b64decode(s["sig"]).hex())
        public[s["keyid"]].verify_signature(sig, message(envelope))
        try:
            public[s["keyid"]].verify_signature(sig, message(envelope) + b" ")
        except Exception:
            n += 1
        else:
            sys.exit(name + ": a changed message verifies, too")
assert n == 10, n

hil = evidence + "/hil.dsse.json"
envelope = json.load(open(hil))
lab = sslib.import_ecdsakey_from_private_pem(open(folder + "/evidence/lab.pem").read())
signature = SSlibSigner(lab).sign(message(envelope))
envelope["signatures"] = [{"keyid": "another tool", "sig": base64.urlsafe_b64encode(bytes.fromhex(signature.signature)).decode()}]
json.dump(envelope, open(hil, "w"), indent=1)
PY
"$backstay" evidence verify other/packed --keys keys --json | jq -e '[.evidence[] | select(.verified)] | length == 10' >/dev/null ||
	fail "what another tool signed does not verify"
jq -c '.payload |= (@base64d | sub("44.25"; "44.24") | @base64)' other/packed/evidence/hil.dsse.json >other/cut && cp other/cut other/packed/evidence/hil.dsse.json
fails 65 "$backstay" evidence verify other/packed --keys keys
says 'hil.dsse.json .*not signed by any key'
echo "== Debian's signing library verifies our ten envelopes, and we what it signs"

# Links of in-toto 1.3.1 are no envelopes but an older form, and are told apart.
(cd other && in-toto-keygen -t ecdsa step >/dev/null 2>&1 && in-toto-run -n build -x -t ecdsa -k step -- true >/dev/null 2>&1) ||
	fail "in-toto-run"
link=$(ls other/build.*.link)
fails 65 "$backstay" evidence show "$link"
says "_type"
echo "== a link of an older form is refused by its type"
