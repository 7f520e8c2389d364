// The functions of libgit2 that `pipe` calls, each handed on to the library once that is loaded.
// SPDX-License-Identifier: Apache-2.0
//
// Linked as usual, libgit2 and the fifteen libraries behind it take longer to start than most answers of `pipe`, few of
// which need Git (docs/decisions/006-start-up.md). A function that has no line here does not link; a line that does not
// agree with `git2.h` does not compile; one that the installed library lacks is told by `cgit2_load`.
#include "cgit2.h"

#include <dlfcn.h>
#include <stddef.h>
#include <stdio.h>

#define LIBRARY "libgit2.so." LIBGIT2_SOVERSION

struct function {
  const char *name;
  void *place;
};

// Each line defines its function, and tells the linker to put an entry into the section `cgit2_table`.
#define FORWARD(result, name, parameters, arguments)                                                           \
  static struct function name##_found __attribute__((section("cgit2_table"), used)) = {#name, NULL};           \
  result name parameters { return ((__typeof__(&name))name##_found.place)arguments; }

FORWARD(int, git_libgit2_init, (void), ())
FORWARD(int, git_blob_filter, (git_buf *out, git_blob *blob, const char *as_path, git_blob_filter_options *opts), (out, blob, as_path, opts))
FORWARD(int, git_blob_filter_options_init, (git_blob_filter_options *opts, unsigned int version), (opts, version))
FORWARD(void, git_blob_free, (git_blob *blob), (blob))
FORWARD(int, git_blob_lookup, (git_blob **blob, git_repository *repo, const git_oid *id), (blob, repo, id))
FORWARD(const void *, git_blob_rawcontent, (const git_blob *blob), (blob))
FORWARD(git_object_size_t, git_blob_rawsize, (const git_blob *blob), (blob))
FORWARD(void, git_buf_dispose, (git_buf *buffer), (buffer))
FORWARD(void, git_commit_free, (git_commit *commit), (commit))
FORWARD(const git_oid *, git_commit_id, (const git_commit *commit), (commit))
FORWARD(int, git_commit_lookup, (git_commit **commit, git_repository *repo, const git_oid *id), (commit, repo, id))
FORWARD(const git_oid *, git_commit_parent_id, (const git_commit *commit, unsigned int n), (commit, n))
FORWARD(unsigned int, git_commit_parentcount, (const git_commit *commit), (commit))
FORWARD(git_time_t, git_commit_time, (const git_commit *commit), (commit))
FORWARD(int, git_commit_tree, (git_tree **tree_out, const git_commit *commit), (tree_out, commit))
FORWARD(void, git_config_free, (git_config *cfg), (cfg))
FORWARD(int, git_config_get_string, (const char **out, const git_config *cfg, const char *name), (out, cfg, name))
FORWARD(void, git_diff_free, (git_diff *diff), (diff))
FORWARD(const git_diff_delta *, git_diff_get_delta, (const git_diff *diff, size_t idx), (diff, idx))
FORWARD(size_t, git_diff_num_deltas, (const git_diff *diff), (diff))
FORWARD(int, git_diff_tree_to_tree, (git_diff **diff, git_repository *repo, git_tree *old_tree, git_tree *new_tree, const git_diff_options *opts), (diff, repo, old_tree, new_tree, opts))
FORWARD(void, git_error_clear, (void), ())
FORWARD(const git_error *, git_error_last, (void), ())
FORWARD(int, git_ignore_path_is_ignored, (int *ignored, git_repository *repo, const char *path), (ignored, repo, path))
FORWARD(int, git_index_add_bypath, (git_index *index, const char *path), (index, path))
FORWARD(size_t, git_index_entrycount, (const git_index *index), (index))
FORWARD(int, git_index_find_prefix, (size_t *at_pos, git_index *index, const char *prefix), (at_pos, index, prefix))
FORWARD(void, git_index_free, (git_index *index), (index))
FORWARD(const git_index_entry *, git_index_get_bypath, (git_index *index, const char *path, int stage), (index, path, stage))
FORWARD(int, git_index_read, (git_index *index, int force), (index, force))
FORWARD(int, git_index_remove_bypath, (git_index *index, const char *path), (index, path))
FORWARD(int, git_index_write, (git_index *index), (index))
FORWARD(void, git_object_free, (git_object *object), (object))
FORWARD(int, git_object_peel, (git_object **peeled, const git_object *object, git_object_t target_type), (peeled, object, target_type))
FORWARD(git_object_t, git_object_type, (const git_object *obj), (obj))
FORWARD(int, git_oid_fromstr, (git_oid *out, const char *str), (out, str))
FORWARD(void, git_reference_free, (git_reference *ref), (ref))
FORWARD(void, git_reference_iterator_free, (git_reference_iterator *iter), (iter))
FORWARD(int, git_reference_iterator_new, (git_reference_iterator **out, git_repository *repo), (out, repo))
FORWARD(int, git_reference_lookup, (git_reference **out, git_repository *repo, const char *name), (out, repo, name))
FORWARD(int, git_reference_name_to_id, (git_oid *out, git_repository *repo, const char *name), (out, repo, name))
FORWARD(int, git_reference_next_name, (const char **out, git_reference_iterator *iter), (out, iter))
FORWARD(const char *, git_reference_symbolic_target, (const git_reference *ref), (ref))
FORWARD(int, git_repository_config_snapshot, (git_config **out, git_repository *repo), (out, repo))
FORWARD(void, git_repository_free, (git_repository *repo), (repo))
FORWARD(int, git_repository_index, (git_index **out, git_repository *repo), (out, repo))
FORWARD(int, git_repository_open_ext, (git_repository **out, const char *path, unsigned int flags, const char *ceiling_dirs), (out, path, flags, ceiling_dirs))
FORWARD(const char *, git_repository_workdir, (const git_repository *repo), (repo))
FORWARD(int, git_revparse_single, (git_object **out, git_repository *repo, const char *spec), (out, repo, spec))
FORWARD(void, git_revwalk_free, (git_revwalk *walk), (walk))
FORWARD(int, git_revwalk_new, (git_revwalk **out, git_repository *repo), (out, repo))
FORWARD(int, git_revwalk_next, (git_oid *out, git_revwalk *walk), (out, walk))
FORWARD(int, git_revwalk_push, (git_revwalk *walk, const git_oid *id), (walk, id))
FORWARD(int, git_revwalk_sorting, (git_revwalk *walk, unsigned int sort_mode), (walk, sort_mode))
FORWARD(const git_status_entry *, git_status_byindex, (git_status_list *statuslist, size_t idx), (statuslist, idx))
FORWARD(size_t, git_status_list_entrycount, (git_status_list *statuslist), (statuslist))
FORWARD(void, git_status_list_free, (git_status_list *statuslist), (statuslist))
FORWARD(int, git_status_list_new, (git_status_list **out, git_repository *repo, const git_status_options *opts), (out, repo, opts))
FORWARD(int, git_status_options_init, (git_status_options *opts, unsigned int version), (opts, version))
FORWARD(const git_tree_entry *, git_tree_entry_byindex, (const git_tree *tree, size_t idx), (tree, idx))
FORWARD(int, git_tree_entry_bypath, (git_tree_entry **out, const git_tree *root, const char *path), (out, root, path))
FORWARD(git_filemode_t, git_tree_entry_filemode_raw, (const git_tree_entry *entry), (entry))
FORWARD(void, git_tree_entry_free, (git_tree_entry *entry), (entry))
FORWARD(const git_oid *, git_tree_entry_id, (const git_tree_entry *entry), (entry))
FORWARD(const char *, git_tree_entry_name, (const git_tree_entry *entry), (entry))
FORWARD(git_object_t, git_tree_entry_type, (const git_tree_entry *entry), (entry))
FORWARD(size_t, git_tree_entrycount, (const git_tree *tree), (tree))
FORWARD(void, git_tree_free, (git_tree *tree), (tree))
FORWARD(int, git_tree_lookup, (git_tree **out, git_repository *repo, const git_oid *id), (out, repo, id))

extern struct function __start_cgit2_table[], __stop_cgit2_table[];

const char *cgit2_load(void) {
  static char problem[256];
  void *library = dlopen(LIBRARY, RTLD_LAZY | RTLD_LOCAL);
  if (library == NULL) {
    snprintf(problem, sizeof problem, "%s", dlerror());
    return problem;
  }
  for (struct function *function = __start_cgit2_table; function < __stop_cgit2_table; function++) {
    function->place = dlsym(library, function->name);
    if (function->place == NULL) {
      snprintf(problem, sizeof problem, "%s has no function `%s`", LIBRARY, function->name);
      return problem;
    }
  }
  return git_libgit2_init() > 0 ? NULL : "it did not start";
}
