# Three approvers on three machines, one of them with its key in a token: each has a folder with its own key and its own
# copy of the repository, and only a folder travels. Nobody approves what is his own.
set -eu
. "$BACKSTAY_SRC/tests/system/lib.sh"
trap 'stop_all >/dev/null 2>&1' EXIT
backstay=$BACKSTAY_BIN/backstay
service_command=code/bin/run watch_interval=100ms poll_interval=200ms

server_start
parties_part
[ -z "$(find "$W/keys/offline" -name 'engineering*' -o -name 'safety*' -o -name 'compliance*')" ] || fail "a party's key stayed behind"
device_make one 0
device_start one
wait_until 20 "one to register" "$backstay" device show one

# Compliance moves its key into a token, and has no file of it any more.
token_make compliance "$W/party/compliance"
token_take compliance "$W/party/compliance" compliance-1
[ ! -e "$W/party/compliance/compliance-1.pem" ] || fail "the key is still in a file"

toy 1
"$backstay" release create "$W/toy/1/release.json" --out "$W/packed/1" >/dev/null
exits 66 "$backstay" release approve "$W/packed/1" --role safety --keys "$W/party/safety" --yes
exits 0 "$backstay" release propose "$W/packed/1" --keys "$W/keys" --hardware edge-x86 --counter 1
exits 64 "$backstay" release approve "$W/packed/1" --role safety --keys "$W/party/safety"
exits 64 "$backstay" release approve "$W/packed/1" --keys "$W/party/safety" --yes
exits 66 "$backstay" release approve "$W/packed/1" --role safety --keys "$W/party/engineering" --yes
exits 0 "$backstay" release approve "$W/packed/1" --role engineering --keys "$W/party/engineering" --yes
grep -q 'sha256 .*[0-9a-f]\{64\}' out.txt || fail "the review does not show the digest"
exits 0 "$backstay" release approve "$W/packed/1" --role safety --keys "$W/party/safety" --yes
exits 65 "$backstay" release publish "$W/packed/1" --keys "$W/keys"
grep -q compliance err.txt || fail "the refusal does not say who is missing"
exits 0 "$backstay" release approve "$W/packed/1" --role compliance --keys "$W/party/compliance" --yes
exits 0 "$backstay" release publish "$W/packed/1" --keys "$W/keys"
toy_campaign 1
wait_until 60 "toy-1 to run" campaign_is to-1 done
runs one 1 || fail "toy-1 does not run"
echo "== three parties approve on three machines, one with a token, and a device believes it"

toy 2
approve_and_publish 2 --rollback-to toy-1
toy_campaign 2
wait_until 60 "toy-2 to run" campaign_is to-2 done
echo "== the next release is built upon what each party signed before"

toy 3
"$backstay" release create "$W/toy/3/release.json" --out "$W/packed/3" >/dev/null
exits 0 "$backstay" release propose "$W/packed/3" --keys "$W/keys" --hardware edge-x86 --counter 3
sed -i 's/"counter":3/"counter":9/' "$W/packed/3/approval/request.json"
exits 65 "$backstay" release approve "$W/packed/3" --role safety --keys "$W/party/safety" --yes
exits 0 "$backstay" release propose "$W/packed/3" --keys "$W/keys" --hardware edge-x86 --counter 3
sed -i 's/"notes": *"toy"/"notes":"TOY"/' "$W/packed/3/toy-3.json"
exits 65 "$backstay" release approve "$W/packed/3" --role safety --keys "$W/party/safety" --yes
echo "== a request or a document that was changed on the way is not signed"

# Engineering packs it itself, with its approver's key.
toy 4
"$backstay" release create "$W/toy/4/release.json" --out "$W/packed/4" >/dev/null
mkdir -p "$W/both/creator"
cp "$W/party/engineering/engineering-1.pem" "$W/both/creator/creator-1.pem"
exits 0 "$backstay" release propose "$W/packed/4" --keys "$W/both" --repo "$W/keys/repo/image" --hardware edge-x86 --counter 4
exits 77 "$backstay" release approve "$W/packed/4" --role engineering --keys "$W/party/engineering" --yes
grep -q 'others must sign' err.txt || fail "the refusal does not say why"
echo "== whoever made a release does not approve it"
