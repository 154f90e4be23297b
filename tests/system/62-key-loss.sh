# Keys are lost: one of three of a root, whose holders sit on three machines; an approver's only one; one of the server's.
# A device sleeps through each, wakes, and takes the next release.
set -eu
. "$BACKSTAY_SRC/tests/system/lib.sh"
trap 'stop_all >/dev/null 2>&1' EXIT
backstay=$BACKSTAY_BIN/backstay
id_of() { # id_of PUB-FILE-FOLDER NAME
	"$backstay" keys public "$1" --json | jq -r --arg n "$2" '.keys[] | select(.name == $n).keyid'
}
key_fleet
wait_until 60 "to-1 to end" campaign_is to-1 done

# Three holders of the image root, each with its key, its own copy, and nothing else.
for i in 1 2 3; do
	mkdir -p -m 700 "$W/holder/$i"
	mv "$W/keys/offline/image-root-$i.pem" "$W/holder/$i/"
	cp -r "$W/keys/repo" "$W/holder/$i/repo"
done

sleep_two
lost=$(id_of "$W/holder/3" image-root-3)
rm -r "$W/holder/3"
mkdir -p -m 700 "$W/holder/4"
new_key image-root-4 "$W/holder/4"
cp "$W/holder/4/image-root-4.pub" "$W/holder/1/"
exits 73 "$backstay" keys revoke image-root "$W/holder/1/repo" --key "$lost" --threshold 3 --keys "$W/holder/1"
exits 66 "$backstay" keys revoke image-root "$W/holder/1/repo" --key 0000000000 --keys "$W/holder/1"
exits 0 "$backstay" keys rotate image-root "$W/holder/1/repo" --key "$lost" --public "$W/holder/1/image-root-4.pub" --keys "$W/holder/1"
[ ! -e "$W/holder/1/repo/image/2.root.json" ] || fail "one signature of two was enough"
exits 73 "$backstay" keys renew image-root "$W/holder/1/repo" --keys "$W/holder/1"
"$backstay" keys status "$W/holder/1/repo" | grep -q 'waits for signatures' || fail "status does not tell what waits"
mkdir "$W/usb"
cp "$W/holder/1/repo/image/waiting/2.root.json" "$W/usb/"
exits 66 "$backstay" keys sign "$W/usb/2.root.json" "$W/holder/2/repo/image" --keys "$W/party/safety" --yes
exits 64 "$backstay" keys sign "$W/usb/2.root.json" "$W/holder/2/repo/image" --keys "$W/holder/2"
exits 0 "$backstay" keys sign "$W/usb/2.root.json" "$W/holder/2/repo/image" --keys "$W/holder/2" --yes
grep -q "root: without key $(echo "$lost" | cut -c1-16)" out.txt || fail "the review does not name the lost key"
[ -e "$W/holder/2/repo/image/2.root.json" ] || fail "two signatures of two were not enough"
"$backstay" keys take "$W/holder/2/repo" "$W/keys/repo" >/dev/null
exits 0 "$backstay" keys publish "$W/keys/repo"
everybody_takes
release_to 2
wake_two 2
echo "== one of three root keys was lost: two holders on two machines put another in its place"

sleep_two
rm "$W/party/safety/safety-1.pem"
toy 3
"$backstay" release create "$W/toy/3/release.json" --out "$W/packed/3" >/dev/null
"$backstay" release propose "$W/packed/3" --keys "$W/keys" --hardware edge-x86 --counter 3 >/dev/null
exits 66 "$backstay" release approve "$W/packed/3" --role safety --keys "$W/party/safety" --yes
rotate_party safety 2
exits 0 "$backstay" keys publish "$W/keys/repo"
everybody_takes
release_to 3
wake_two 3
echo "== an approver lost its only key: the holders of targets gave it another"

# The server cannot sign timestamps any more. It does not start without the key; the new root comes with the new key.
sleep_two
let_go server
rm "$W/keys/online/image-timestamp.pem"
exits 75 "$BACKSTAY_BIN/backstay-server" --config "$W/server.conf"
runs one 3 || fail "toy-3 does not run while the server is away"
new_key image-timestamp-2 "$W/keys/online"
for i in 1 2; do "$backstay" keys take "$W/keys/repo" "$W/holder/$i/repo" >/dev/null; done
exits 0 "$backstay" keys rotate image-timestamp "$W/holder/1/repo" --public "$W/keys/online/image-timestamp-2.pub" --keys "$W/holder/1"
rm -f "$W/usb/"*
cp "$W/holder/1/repo/image/waiting/3.root.json" "$W/usb/"
exits 0 "$backstay" keys sign "$W/usb/3.root.json" "$W/holder/2/repo/image" --keys "$W/holder/2" --yes
"$backstay" keys take "$W/holder/2/repo" "$W/keys/repo" >/dev/null
server_start
release_to 4
wake_two 4
echo "== the server lost a key: it started with a new one and the root that lists it"
