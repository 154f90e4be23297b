/* The plate reader's HTTP face, on 127.0.0.1 only:
 *   POST /infer         an image  -> {text, confidence, model, release, slot, ms}
 *   POST /reload-model  {"slot_dir": "/abs/path"}, or nothing for the present slot; 500 and the
 * reason when the slot's model does not load, and the one in service goes on GET  /healthz 200
 * while plates can be read, otherwise 503 and the reason GET  /metrics       Prometheus text 0.0.4
 */
#ifndef OCR_SERVE_H
#define OCR_SERVE_H

#include "manifests/examples/ocr/desk.h"
#include "manifests/examples/ocr/mirror.h"
#include "manifests/examples/ocr/tally.h"

struct serve;

/* Listens; port 0 lets the kernel choose. `desk`, `tally` and `mirror` stay the caller's and
 * outlive the service. ERR_NET. */
int serve_open(struct desk *desk, struct tally *tally, struct mirror *mirror, uint16_t port,
	struct serve **out, struct err *e) MUST_CHECK;
uint16_t serve_port(const struct serve *s);
/* Takes no more connections, answers what has come in (for at most five seconds), and ends. */
void serve_close(struct serve **s);

#endif
