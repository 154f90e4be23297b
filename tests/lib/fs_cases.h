/* Cases that every implementation of struct fs must pass; *state is a struct fs on an empty root.
 */
#ifndef TESTS_LIB_FS_CASES_H
#define TESTS_LIB_FS_CASES_H

#include "lib/sys/fs.h"

#define FS_CASES(X)                                                                                \
	X(fs_case_bytes), X(fs_case_extent), X(fs_case_open_flags), X(fs_case_names),              \
		X(fs_case_folders), X(fs_case_rename), X(fs_case_links), X(fs_case_clone),         \
		X(fs_case_list), X(fs_case_bad_paths), X(fs_case_modes), X(fs_case_write_file),    \
		X(fs_case_read_file), X(fs_case_replace_symlink), X(fs_case_make_dirs),            \
		X(fs_case_remove_tree), X(fs_case_room)

void fs_case_bytes(void **state);
void fs_case_extent(void **state);
void fs_case_open_flags(void **state);
void fs_case_names(void **state);
void fs_case_folders(void **state);
void fs_case_rename(void **state);
void fs_case_links(void **state);
void fs_case_clone(void **state);
void fs_case_list(void **state);
void fs_case_bad_paths(void **state);
void fs_case_modes(void **state);
void fs_case_write_file(void **state);
void fs_case_read_file(void **state);
void fs_case_replace_symlink(void **state);
void fs_case_make_dirs(void **state);
void fs_case_remove_tree(void **state);
void fs_case_room(void **state);

#endif
