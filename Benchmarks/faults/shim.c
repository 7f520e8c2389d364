// Loaded before libc's own functions: lets the n-th call that changes a file system fail, or kills the process at it.
// SPDX-License-Identifier: Apache-2.0
//
// FAULT_COUNT=FILE  four bytes that hold how many such calls there were (shared memory, so a kill loses nothing)
// FAULT_AT=N        the call that fails, from 1; without it all succeed
// FAULT_MODE=       once | from (that call and all after it) | kill
// FAULT_ERRNO=N     what it fails with; ENOSPC if not said
// Counts only in the first process whose name begins with `pipe`: stages and their shells are left alone.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

static _Atomic int *counter;
static int at, mode, code;
static pid_t own;

__attribute__((constructor)) static void begin(void) {
  const char *file = getenv("FAULT_COUNT"), *number = getenv("FAULT_AT"), *kind = getenv("FAULT_MODE"), *error = getenv("FAULT_ERRNO");
  if (!file || strncmp(program_invocation_short_name, "pipe", 4)) return;
  int descriptor = open(file, O_RDWR | O_CLOEXEC);
  if (descriptor < 0) return;
  void *memory = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
  close(descriptor);
  if (memory == MAP_FAILED) return;
  at = number ? atoi(number) : 0;
  mode = kind && !strcmp(kind, "from") ? 1 : kind && !strcmp(kind, "kill") ? 2 : 0;
  code = error ? atoi(error) : ENOSPC;
  own = getpid();
  unsetenv("LD_PRELOAD");
  unsetenv("FAULT_COUNT");
  counter = memory;
}

static int fails(void) {
  if (!counter || getpid() != own) return 0;
  int number = atomic_fetch_add(counter, 1) + 1;
  if (!at || (mode == 1 ? number < at : number != at)) return 0;
  if (mode == 2) { kill(own, SIGKILL); pause(); }
  errno = code;
  return 1;
}

static int onFile(int descriptor) {
  struct stat info;
  if (!counter || getpid() != own || descriptor < 3) return 0;
  return fstat(descriptor, &info) == 0 && S_ISREG(info.st_mode);
}

#define REAL(result, name, ...) \
  static result (*real)(__VA_ARGS__); \
  if (!real) real = (result (*)(__VA_ARGS__))dlsym(RTLD_NEXT, #name)

#define ON_FILE(result, name, descriptor, types, values) \
  result name types { REAL(result, name, STRIP types); if (onFile(descriptor) && fails()) return -1; return real values; }
#define ALWAYS(result, name, types, values) \
  result name types { REAL(result, name, STRIP types); if (fails()) return -1; return real values; }
// Needs no space: counted, and a moment to be killed at.
#define REMOVAL(result, name, types, values) \
  result name types { REAL(result, name, STRIP types); if (mode == 2 || !at) fails(); return real values; }
#define STRIP(...) __VA_ARGS__

ON_FILE(ssize_t, write, d, (int d, const void *b, size_t n), (d, b, n))
ON_FILE(ssize_t, pwrite, d, (int d, const void *b, size_t n, off_t o), (d, b, n, o))
ON_FILE(ssize_t, pwrite64, d, (int d, const void *b, size_t n, off64_t o), (d, b, n, o))
ON_FILE(ssize_t, writev, d, (int d, const struct iovec *v, int n), (d, v, n))
ON_FILE(ssize_t, copy_file_range, d, (int i, off64_t *p, int d, off64_t *q, size_t n, unsigned f), (i, p, d, q, n, f))
ON_FILE(ssize_t, sendfile, d, (int d, int i, off_t *p, size_t n), (d, i, p, n))
ON_FILE(int, fsync, d, (int d), (d))
ON_FILE(int, fdatasync, d, (int d), (d))
ON_FILE(int, ftruncate, d, (int d, off_t n), (d, n))
ON_FILE(int, ftruncate64, d, (int d, off64_t n), (d, n))
ALWAYS(int, syncfs, (int d), (d))
ALWAYS(int, rename, (const char *a, const char *b), (a, b))
ALWAYS(int, renameat, (int d, const char *a, int e, const char *b), (d, a, e, b))
ALWAYS(int, renameat2, (int d, const char *a, int e, const char *b, unsigned f), (d, a, e, b, f))
ALWAYS(int, link, (const char *a, const char *b), (a, b))
ALWAYS(int, linkat, (int d, const char *a, int e, const char *b, int f), (d, a, e, b, f))
ALWAYS(int, symlink, (const char *a, const char *b), (a, b))
ALWAYS(int, symlinkat, (const char *a, int d, const char *b), (a, d, b))
ALWAYS(int, mkdir, (const char *a, mode_t m), (a, m))
ALWAYS(int, mkdirat, (int d, const char *a, mode_t m), (d, a, m))
REMOVAL(int, unlink, (const char *a), (a))
REMOVAL(int, unlinkat, (int d, const char *a, int f), (d, a, f))

#define OPEN(name) \
  int name(const char *path, int flags, ...) { \
    REAL(int, name, const char *, int, ...); \
    va_list rest; va_start(rest, flags); mode_t bits = flags & O_CREAT ? va_arg(rest, mode_t) : 0; va_end(rest); \
    if (flags & O_CREAT && fails()) return -1; \
    return real(path, flags, bits); }
#define OPENAT(name) \
  int name(int folder, const char *path, int flags, ...) { \
    REAL(int, name, int, const char *, int, ...); \
    va_list rest; va_start(rest, flags); mode_t bits = flags & O_CREAT ? va_arg(rest, mode_t) : 0; va_end(rest); \
    if (flags & O_CREAT && fails()) return -1; \
    return real(folder, path, flags, bits); }
OPEN(open)
OPEN(open64)
OPENAT(openat)
OPENAT(openat64)
