/* Reads a plate: the model and the configuration of one slot, in memory. Used by one thread at a
 * time. */
#ifndef OCR_READER_H
#define OCR_READER_H

#include <leptonica/allheaders.h>

#include "lib/id.h"

#define READER_TEXT 128

struct reader;

struct reader_facts {
	char model[ID_TEXT_MAX], release[ID_TEXT_MAX];
	char slot[ID_TEXT_MAX]; /* the last part of the slot's path */
};

struct reader_answer {
	char text[READER_TEXT]; /* UTF-8, "" when nothing was found */
	unsigned confidence;    /* the model's own opinion, 0 to 100 */
};

/* Loads what stands in `slot_dir` (tens to hundreds of milliseconds, tens to hundreds of MB) and
 * reads a drawn number with it. ERR_NOT_FOUND, ERR_CONFIG, ERR_BAD_INPUT when the slot has no model
 * that loads and reads. Nothing of the slot is open afterwards. The caller closes the reader. */
int reader_open(const char *slot_dir, struct reader **out, struct err *e) MUST_CHECK;
void reader_close(struct reader **reader);

const struct reader_facts *reader_facts(const struct reader *reader);

int reader_read(
	struct reader *reader, PIX *pix, struct reader_answer *out, struct err *e) MUST_CHECK;

/* Reads a drawn number once more; ERR_START_FAILED when the answer is another. */
int reader_check(struct reader *reader, struct err *e) MUST_CHECK;

/* OpenMP makes four threads of one recognition and wins nothing by it but the other services'
 * processors; it reads its limit when the program is loaded. Sets the limit and starts the program
 * anew if it is not set yet, with the same pid. */
void reader_limit_threads(char **argv);

#endif
