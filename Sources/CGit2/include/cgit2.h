// libgit2 as Debian packages it, loaded when Git is first asked for.
// SPDX-License-Identifier: Apache-2.0
#ifndef PIPE_CGIT2_H
#define PIPE_CGIT2_H

#include <git2.h>

/// Loads the library, once a process; other threads have to wait until it returned. Before it no function of `git2.h` may be
/// called. Returns what is wrong, or NULL. The text stays valid.
const char *cgit2_load(void);

#endif
