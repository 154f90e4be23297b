# With four eyes the server publishes nothing that three people, other than the one who publishes, have not approved under
# their own names; each as one party only.
set -eu
. "$BACKSTAY_SRC/tests/system/lib.sh"
trap 'stop_all >/dev/null 2>&1' EXIT
backstay=$BACKSTAY_BIN/backstay
user() { # user NAME ROLE: a user, whose token is in NAME.token
	(umask 077 && "$backstay" user add "$1" "$2" 2>/dev/null >"$W/$1.token")
}
approve() { # approve STATUS PARTY USER: as a party, and told to the server under the user's name
	exits "$1" "$backstay" release approve "$W/packed/1" --role "$2" --keys "$W/party/$2" --yes --submit --token-file "$W/$3.token"
}
server_start
sed -i 's/^\[trust\]/[trust]\nfour_eyes = yes/' "$W/server.conf"
let_go server
keep server "$BACKSTAY_BIN/backstay-server" --config "$W/server.conf"
wait_until 10 "the server to answer" curl -fs "$BACKSTAY_SERVER/healthz"
parties_part
user paula operator
for u in anna ben carla; do user "$u" approver; done

toy 1
"$backstay" release create "$W/toy/1/release.json" --out "$W/packed/1" >/dev/null
"$backstay" release propose "$W/packed/1" --keys "$W/keys" --hardware edge-x86 --counter 1 >/dev/null
for p in engineering safety compliance; do
	exits 0 "$backstay" release approve "$W/packed/1" --role "$p" --keys "$W/party/$p" --yes
done
exits 77 "$backstay" release publish "$W/packed/1" --keys "$W/keys" --token-file "$W/paula.token"
grep -q 'approved it as engineering' err.txt || fail "the refusal does not name the party"
"$backstay" release list --json | jq -e '.releases == []' >/dev/null || fail "it was published"
echo "== three signatures alone are not three people: refused"

approve 0 engineering anna
approve 77 safety anna
grep -q 'anna has approved .* as engineering' err.txt || fail "the refusal does not say why"
approve 77 safety paula
approve 0 safety ben
exits 77 "$backstay" release publish "$W/packed/1" --keys "$W/keys" --token-file "$W/paula.token"
grep -q 'approved it as compliance' err.txt || fail "the refusal does not name the party"
approve 0 compliance carla
exits 77 "$backstay" release publish "$W/packed/1" --keys "$W/keys" --token-file "$W/anna.token"
exits 0 "$backstay" release publish "$W/packed/1" --keys "$W/keys" --token-file "$W/paula.token"
"$backstay" audit list --last 50 | grep -q 'ben approved toy/toy-1.json as safety' || fail "the audit log does not name who approved"
echo "== one name approves as one party, the publisher as none; the audit log names all"
