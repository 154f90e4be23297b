/* The telemetry queue on a disk that loses what was not synced: the power goes at any operation,
 * writes fail, the link to the server comes and goes and repeats itself. What was promised and does
 * not give way is counted once, in order; nothing is counted twice. */
#include "tests/lib/expect.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent/tele/telequeue.h"
#include "lib/prng.h"
#include "tests/lib/crashfs.h"

#define LIMIT   (48U * 1024)
#define ITEMS   400
#define FOREVER 100000

/* What was stored, by its number in `samples`, and what the server has counted. */
struct world {
	struct crashfs *disk;
	struct telequeue *q;
	struct prng random;
	unsigned link; /* percent: how often something is sent */
	uint64_t n;
	struct {
		bool promised, keeper;
		unsigned counted;
	} item[ITEMS + 1];
	uint64_t epoch, seq, order; /* the server's; `order` of the last that it counted */
};

static bool chance(struct world *w, unsigned percent)
{
	return prng_below(&w->random, 100) < percent;
}

static void open_queue(struct world *w)
{
	struct err e;

	while (telequeue_open(crashfs_fs(w->disk), LIMIT, prng_next(&w->random), &w->q, &e) < 0)
		crashfs_reboot(w->disk, prng_next(&w->random));
}

static void power_cut(struct world *w)
{
	telequeue_close(&w->q);
	crashfs_reboot(w->disk, prng_next(&w->random));
	open_queue(w);
}

static void put(struct world *w)
{
	struct telemetry_gauge g = {.name = "id"};
	struct telemetry_item t = {.at = 5};
	bool keeper = chance(w, 30);
	uint64_t id = ++w->n;
	struct err e;

	if (keeper) {
		t.kind = TELEMETRY_WATCH;
		t.watch = (struct telemetry_watch){.release = {{1}}, .samples = id};
	} else {
		t.kind = TELEMETRY_WINDOW;
		t.window = (struct telemetry_window){.n_gauges = 1, .gauge = &g};
		g.milli = (int64_t)id;
	}
	w->item[id].keeper = keeper;
	w->item[id].promised = telequeue_put(w->q, &t, 1, &e) == 0;
}

static uint64_t id_of(const struct telemetry_item *t)
{
	return t->kind == TELEMETRY_WATCH ? t->watch.samples : (uint64_t)t->window.gauge[0].milli;
}

/* As the server does it: once per device, by epoch and number. */
static void count(struct world *w, const struct telemetry_batch *b)
{
	if (b->epoch != w->epoch)
		w->seq = 0;
	w->epoch = b->epoch;
	for (unsigned i = 0; i < b->n; i++) {
		uint64_t id = id_of(&b->item[i]);

		if (b->item[i].seq <= w->seq)
			continue;
		w->seq = b->item[i].seq;
		assert_int_equal(++w->item[id].counted, 1);
		assert_true(id > w->order);
		w->order = id;
	}
}

/* False: there is nothing more to send. */
static bool send(struct world *w)
{
	struct telequeue_batch b;
	struct telemetry_batch read;
	struct err e;

	if (telequeue_batch(w->q, &b, &e) < 0)
		return false;
	if (b.items == 0) {
		telequeue_batch_fini(&b);
		return false;
	}
	expect_ok(telemetry_decode(buf_str(&b.text), &read, &e), &e);
	assert_int_equal(read.n, b.items);
	assert_true(read.item[read.n - 1].seq == b.last);
	if (chance(w, 80))
		count(w, &read);
	if (chance(w, 80) && w->epoch == b.epoch && w->seq)
		telequeue_ack(w->q, b.epoch, w->seq);
	telemetry_fini(&read);
	telequeue_batch_fini(&b);
	return true;
}

static void step(struct world *w)
{
	struct telequeue_view v;

	if (chance(w, 10))
		crashfs_cut_at(w->disk, crashfs_ops(w->disk) + 1 + prng_below(&w->random, 6));
	if (chance(w, 10))
		crashfs_fail_at(
			w->disk, crashfs_ops(w->disk) + 1 + prng_below(&w->random, 6), 1, EIO);
	if (w->n < ITEMS)
		put(w);
	if (chance(w, w->link))
		(void)!send(w);
	if (crashfs_is_cut(w->disk))
		power_cut(w);
	telequeue_look(w->q, &v);
	assert_true(v.bytes <= LIMIT);
}

static void finish(struct world *w)
{
	unsigned tries = 0;

	crashfs_cut_at(w->disk, 0);
	crashfs_fail_at(w->disk, 0, 0, 0);
	power_cut(w);
	while (send(w))
		assert_true(++tries < FOREVER);
	for (uint64_t i = 1; i <= w->n; i++)
		if (w->item[i].promised && w->item[i].keeper)
			assert_int_equal(w->item[i].counted, 1);
}

static void nothing_is_lost_and_nothing_counted_twice(void **state)
{
	uint64_t details = 0, counted = 0, dropped = 0;

	(void)state;
	for (uint64_t seed = 1; seed <= 40; seed++) {
		struct world *w = mem_new(sizeof *w);

		w->random.s = seed;
		w->link = seed % 4 ? 40 : 1;
		w->disk = crashfs_new();
		open_queue(w);
		while (w->n < ITEMS)
			step(w);
		finish(w);
		for (uint64_t i = 1; i <= w->n; i++) {
			bool detail = !w->item[i].keeper && w->item[i].promised;

			details += detail;
			counted += detail && w->item[i].counted;
			dropped += detail && !w->item[i].counted && seed % 4 == 0;
		}
		telequeue_close(&w->q);
		crashfs_free(&w->disk);
		mem_free(&w);
	}
	assert_true(dropped > 0 && dropped == details - counted);
	print_message("== %llu details promised, %llu counted\n", (unsigned long long)details,
		(unsigned long long)counted);
}

/* Every operation of storing, sending and forgetting in turn. */
static void the_power_goes_at_every_operation(void **state)
{
	uint64_t at = 0;
	bool more = true;

	(void)state;
	while (more) {
		struct world *w = mem_new(sizeof *w);

		w->random.s = ++at;
		w->disk = crashfs_new();
		open_queue(w);
		crashfs_cut_at(w->disk, at);
		for (unsigned i = 0; i < 60; i++) {
			put(w);
			if (i % 20 == 19)
				(void)!send(w);
			if (crashfs_is_cut(w->disk))
				power_cut(w);
		}
		more = crashfs_ops(w->disk) >= at || at < 60;
		finish(w);
		telequeue_close(&w->q);
		crashfs_free(&w->disk);
		mem_free(&w);
		more = more && at < 300;
	}
	print_message("== cut at %llu operations\n", (unsigned long long)at);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_lost_and_nothing_counted_twice),
		cmocka_unit_test(the_power_goes_at_every_operation),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
