// libgit2 as Debian packages it.
// SPDX-License-Identifier: Apache-2.0
#include <git2.h>
