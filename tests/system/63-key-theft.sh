# Keys are stolen: an approver's, one of three of a root, and a whole server with its keys. What the thief signs is
# refused, nothing on a device changes, and the next good release arrives, on the one that slept, too.
set -eu
. "$BACKSTAY_SRC/tests/system/lib.sh"
trap 'stop_all >/dev/null 2>&1' EXIT
backstay=$BACKSTAY_BIN/backstay
key_fleet
wait_until 60 "to-1 to end" campaign_is to-1 done

# Compliance's key is stolen. The thief signs a release of its own with it, and has nobody else's signature.
cp -r "$W/party/compliance" "$W/thief"
toy 66
"$backstay" release create "$W/toy/66/release.json" --out "$W/packed/66" >/dev/null
new_key creator-9 "$W/thief"
"$backstay" release propose "$W/packed/66" --keys "$W/thief" --hardware edge-x86 --counter 66 >/dev/null
exits 0 "$backstay" release approve "$W/packed/66" --role compliance --keys "$W/thief" --yes
exits 65 "$backstay" release publish "$W/packed/66" --keys "$W/thief"
grep -q 'engineering' err.txt || fail "the refusal does not say who has not signed"
sleep_two
rotate_party compliance 2
exits 0 "$backstay" keys publish "$W/keys/repo"
everybody_takes
# Even with everybody else's signature the old key counts nothing now.
"$backstay" release propose "$W/packed/66" --keys "$W/keys" --hardware edge-x86 --counter 66 >/dev/null
exits 66 "$backstay" release approve "$W/packed/66" --role compliance --keys "$W/thief" --yes
release_to 2
wake_two 2
echo "== a stolen approver's key signs nothing that anybody takes, and is replaced"

# One of the root's three keys is stolen: two are needed, so it can do nothing; it is taken off the list all the same.
sleep_two
cp "$W/keys/offline/director-root-1.pem" "$W/thief/"
"$backstay" keys public "$W/thief" >/dev/null
new_key director-root-9 "$W/thief"
cp -r "$W/keys/repo" "$W/thief/roots"
exits 0 "$backstay" keys rotate director-root "$W/thief/roots" --public "$W/thief/director-root-9.pub" --threshold 1 --keys "$W/thief"
[ ! -e "$W/thief/roots/director/2.root.json" ] || fail "one stolen key of three made a root"
cp "$W/thief/roots/director/waiting/2.root.json" "$W/thief/roots/director/2.root.json"
exits 65 "$backstay" keys publish "$W/thief/roots"
stolen=$("$backstay" keys public "$W/thief" --json | jq -r '.keys[] | select(.name == "director-root-1").keyid')
new_key director-root-4 "$W/keys/offline"
exits 0 "$backstay" keys rotate director-root "$W/keys/repo" --key "$stolen" --public "$W/keys/offline/director-root-4.pub" --keys "$W/keys"
rm "$W/keys/offline/director-root-1.pem"
exits 0 "$backstay" keys publish "$W/keys/repo"
release_to 3
wake_two 3
echo "== one stolen root key of three makes no root, and is replaced"

# The whole server is stolen, with its keys and what it knows. The owners rotate every online key.
let_go server
cp -r "$W/server" "$W/stolen-server"
cp -r "$W/keys/online" "$W/stolen-online"
cp -r "$W/keys/repo" "$W/stolen-repo"
server_start
for r in director-targets director-snapshot director-timestamp director-time director-audit image-snapshot image-timestamp; do
	rotate_online "$r" 2
done
wait_until 30 "one to have the new root" test -e "$W/dev/one/trust/director/6.root.json" -o -e "$W/dev/one/trust/director/root.json"
release_to 4
wait_until 60 "to-4 to end" campaign_is to-4 done
# Now the thief answers in its place.
let_go server
sed -e "s|$W/server|$W/stolen-server|; s|$W/keys/repo|$W/stolen-repo|; s|$W/keys/online|$W/stolen-online|" "$W/server.conf" >"$W/thief.conf"
before=$(ask one '"\(.running.document) \(.slots | tostring)"')
keep thief "$BACKSTAY_BIN/backstay-server" --config "$W/thief.conf"
wait_until 10 "the thief's server to answer" curl -fs "$BACKSTAY_SERVER/healthz"
refuses() {
	case $(ask one .server.code) in unsigned | rolled_back | mixed) ;; *) return 1 ;; esac
}
wait_until 30 "one to refuse the thief's server" refuses
ask one '.server | "\(.code): \(.reason)"'
[ "$before" = "$(ask one '"\(.running.document) \(.slots | tostring)"')" ] || fail "the thief's server changed something"
runs one 4 || fail "toy-4 does not run"
let_go thief
server_start
# Both have been refusing for a while, and ask less often now, unless somebody tells them to.
on_device one check >/dev/null
release_to 5
asked_to_5() {
	on_device two check >/dev/null
	campaign_is to-5 done
}
wait_until 60 "to-5 to end" asked_to_5
echo "== a stolen server is refused by name once its keys are replaced; the true one goes on"
