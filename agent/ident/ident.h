/* Who this device is: a key that is made here and never leaves, and the certificate that the server
 * gives for it. Beneath home:
 *
 *   identity/device.pem   key and certificate, mode 0600; replaced in one piece
 *   identity/new.pem      the key of an enrolment that is under way, so that asking again after a
 *                         power cut is asking with the same key
 *   identity/invited      digest of the invitation that was used, so that it is used once
 *
 * An invitation is used when it is another one than the last: that is how a device enrols at its
 * first start, and how one that was revoked comes back. Until the server has answered with a
 * certificate for the new key, the old identity stays. */
#ifndef AGENT_IDENT_IDENT_H
#define AGENT_IDENT_IDENT_H

#include "agent/net/http.h"
#include "lib/sys/fs.h"

#define IDENT_FILE "identity/device.pem"

/* One request. Shows the identity when there is one to show, else the token. */
struct ident_ask {
	bool with_identity;
	const char *token;
	const char *path; /* of the server */
	struct str body;
	const atomic_bool *cancel;
};
typedef int ident_send_f(
	void *self, const struct ident_ask *a, struct http_answer *out, struct err *e);

struct ident_conf {
	struct fs *fs;          /* home */
	const char *device;     /* its id */
	const char *token_file; /* where an invitation may be; "": nowhere */
	ident_send_f *send;
	void *self; /* of send */
};

struct ident;
/* The texts of `c` must outlive it. Reads what is there. ERR_ALTERED: device.pem is not what this
 * device has written; an invitation replaces it. */
int ident_open(const struct ident_conf *c, struct ident **out, struct err *e) MUST_CHECK;
void ident_close(struct ident **i);

struct ident_news {
	bool changed; /* there is another certificate than before */
	struct err
		trouble; /* something failed that does not stop the device now; ERR_OK: nothing */
};

/* Enrols or renews when it is time to, and otherwise does nothing: cheap. `wall` and `mono` as
 * lib/sys/clock.h. A certificate is renewed when two thirds of its life are over; when that fails,
 * it is tried again later and the old one is used meanwhile. A failure is returned when there is no
 * identity to be used: what the server says, ERR_DENIED when there is no invitation either,
 * ERR_ALTERED when it answers with something else than this device's certificate. Nothing on the
 * disk has changed then but new.pem. */
int ident_keep(struct ident *i, ms_t wall, ms_t mono, const atomic_bool *cancel,
	struct ident_news *out, struct err *e) MUST_CHECK;

/* To be told when the server says that something has expired. By a clock that is before the
 * certificate's beginning nobody can tell what: the certificate is renewed then. */
void ident_has_ended(struct ident *i);

#endif
