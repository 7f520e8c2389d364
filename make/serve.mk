# The server as one static binary: no libc, no loader, nothing beside it.
# SPDX-License-Identifier: Apache-2.0

# `-static-executable` links libc, the Swift runtime, Foundation and libcrypto in; `--wrap` keeps the runtime from looking for
# its crash reporter through /proc before main (Sources/pipe-serve/BacktracerPath.swift); `-s` leaves symbols and debug lines out.
SERVE_FLAGS = -c release --product pipe-serve --static-swift-stdlib -Xswiftc -static-executable \
  -Xlinker --wrap=swift_copyAuxiliaryExecutablePath -Xlinker -s
# Not the folder of the other builds: their objects are made for shared libraries.
SERVE_SCRATCH ?= .build
SERVE_BINARY ?= .build/pipe-serve

.PHONY: serve-binary
serve-binary: ## Build the static inference server into $(SERVE_BINARY).
	swift build $(SERVE_FLAGS) --scratch-path $(SERVE_SCRATCH)
	install -m 755 $(SERVE_SCRATCH)/release/pipe-serve $(SERVE_BINARY)
