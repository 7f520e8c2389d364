# The server as one static binary: no libc, no loader, nothing beside it.
# SPDX-License-Identifier: Apache-2.0

# `-static-executable` links libc, the Swift runtime and Foundation in; `--wrap` puts stand-ins in place of what would need /proc
# (Sources/pipe-serve/BareStart.swift); `-s` leaves symbols and debug lines out.
SERVE_FLAGS = -c release --product pipe-serve --static-swift-stdlib -Xswiftc -static-executable \
  -Xlinker --wrap=swift_copyAuxiliaryExecutablePath -Xlinker --wrap=_dispatch_workq_worker_register \
  -Xlinker --wrap=_dispatch_workq_worker_unregister -Xlinker -s
SERVE_SCRATCH ?= .build
SERVE_BINARY ?= .build/pipe-serve

.PHONY: serve-binary
serve-binary: ## Build the static inference server into $(SERVE_BINARY).
	swift build $(SERVE_FLAGS) --scratch-path $(SERVE_SCRATCH)
	install -m 755 $(SERVE_SCRATCH)/release/pipe-serve $(SERVE_BINARY)
