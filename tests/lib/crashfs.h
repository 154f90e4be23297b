/* A simulated disk behind struct fs, for tests that cut the power.
 *
 * What it promises is what fs.h asks of a file system and no more; it is harsher than ext4, and
 * about as harsh as POSIX allows:
 *
 * - Bytes, size and mode of a file are durable after sync. What was written since may survive a cut
 * or not, sector (512 bytes) by sector, each in any of its states since the last sync; the size is
 * one that the file had in between, and what was never written below it reads as zeros. So a rename
 * of a file that was not synced may show an empty one.
 * - Names (create, mkdir, link, symlink, rename, unlink, rmdir) are durable after sync_dir of the
 *   folder that holds them. Of those not synced any subset survives, in any order, but each one
 * whole (a rename is never seen half), and none without the earlier ones about the same name. To
 * sync a file does not make its name durable, nor does to sync a folder that of its parent.
 * - After a sync that failed, the bytes stand in the cache, but no later sync brings them to the
 *   disk; only writing them again does. drop_cache shows what the disk really has.
 * - A sector is never torn, and what was durable stays as it was.
 *
 * Operations that change something, and the two syncs, are counted from 1; reads are not. Cut at
 * operation n, the disk may or may not have carried out n itself. Deterministic: the same calls and
 * the same seed give the same disk. */
#ifndef TESTS_LIB_CRASHFS_H
#define TESTS_LIB_CRASHFS_H

#include "lib/sys/fs.h"

struct crashfs;

/* An empty disk with 1 GiB of room. */
struct crashfs *crashfs_new(void);
void crashfs_free(struct crashfs **c);
struct fs *crashfs_fs(struct crashfs *c);
/* The same disk once more. Nothing may be pending: after crashfs_reboot or crashfs_settle. */
struct crashfs *crashfs_dup(const struct crashfs *c);

/* ---- faults; n counts from the last reboot, revival or reset ---- */

/* The power goes at operation n: it and everything after it fails with ERR_IO, reads too, until
 * crashfs_reboot. 0: never. */
void crashfs_cut_at(struct crashfs *c, uint64_t n);
/* Operations n to n + times - 1 fail with this errno and change nothing. With ENOSPC only
 * operations that take room fail: the first one that does at or after n, and so on. */
void crashfs_fail_at(struct crashfs *c, uint64_t n, uint64_t times, int sys);
/* Writes that fail so have written the first half of what they were given. */
void crashfs_write_half(struct crashfs *c, bool half);
/* Bytes of all files together. */
void crashfs_set_room(struct crashfs *c, uint64_t bytes);
/* How clone copies; a hard link unless this was called. */
enum crashfs_clone { CRASHFS_LINK, CRASHFS_REFLINK, CRASHFS_NO_CLONE };
void crashfs_set_clone(struct crashfs *c, enum crashfs_clone how);

/* ---- what happened ---- */

uint64_t crashfs_ops(const struct crashfs *c);
void crashfs_reset_ops(struct crashfs *c);
bool crashfs_is_cut(const struct crashfs *c);
/* "17: rename .current.new to current": the last operation that was counted. */
const char *crashfs_last_op(const struct crashfs *c);
/* Descriptors that are open. */
unsigned crashfs_open_fds(const struct crashfs *c);

/* ---- afterwards; all descriptors are gone, and faults are off ---- */

/* The machine starts again with what the disk has. Seeds 0 and 1 are the extremes: everything that
 * was not synced is lost, or kept; others choose. */
void crashfs_reboot(struct crashfs *c, uint64_t seed);
/* Only the process was killed: the cache is as it was. */
void crashfs_revive(struct crashfs *c);
/* A clean shutdown: everything is durable. */
void crashfs_settle(struct crashfs *c);

#endif
