#include <stdio.h>
#include <string.h>

#include "agent/shadow/shadow.h"

#define BOOK_PATH "shadow.txt"

/* The first line is the update's id. */
static bool is_of(struct str *text, const struct txn_id *txn)
{
	char want[TXN_TEXT];
	struct str line;

	txn_format(txn, want);
	return str_split(text, '\n', &line) && str_is(line, want);
}

void shadow_book_load(struct fs *fs, const struct txn_id *txn, struct shadow_tally *out)
{
	BUF_AUTO text = {0};
	struct str rest;

	*out = (struct shadow_tally){0};
	if (fs_read_file(fs, BOOK_PATH, LIMIT_SHADOW_FILE, &text, NULL) < 0)
		return;
	rest = buf_str(&text);
	if (is_of(&rest, txn) && shadow_decode(rest, out, NULL) < 0)
		*out = (struct shadow_tally){0};
}

int shadow_book_save(
	struct fs *fs, const struct txn_id *txn, const struct shadow_tally *t, struct err *e)
{
	char id[TXN_TEXT];
	BUF_AUTO text = {0};

	txn_format(txn, id);
	buf_addf(&text, "%s\n", id);
	shadow_encode(t, &text);
	return fs_write_file(fs, BOOK_PATH, text.p, text.n, 0640, e);
}

/* ---- the board ---- */

void shadow_board_init(struct shadow_board *b)
{
	*b = (struct shadow_board){0};
	pthread_mutex_init(&b->lock, NULL);
}

void shadow_board_fini(struct shadow_board *b)
{
	pthread_mutex_destroy(&b->lock);
}

void shadow_board_read(struct shadow_board *b, struct shadow_tally *out, bool *out_answers)
{
	pthread_mutex_lock(&b->lock);
	*out = b->tally;
	*out_answers = b->answers;
	pthread_mutex_unlock(&b->lock);
}

void shadow_board_limits(struct shadow_board *b, char out[BESIDE_TEXT])
{
	pthread_mutex_lock(&b->lock);
	memcpy(out, b->limits, BESIDE_TEXT);
	pthread_mutex_unlock(&b->lock);
}
