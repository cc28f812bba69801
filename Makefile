# popkeep. Every target installs what it needs first; only make, Node.js and npm have to be there.
#
#   make run           serve the demo mail on 127.0.0.1:1110 and :1995
#   make test          everything; closes with "N passed, N failed"   (SUITES="unit fault" runs those)
#   make check         the gate before a commit: format, lint, types, rooms, unit tests
#   make binary        dist/popkeep, one executable, and dist/popkeep.cdx.json, which says what is in it
#   make binary-deno   the same by deno compile, where denort is to be had
#   make fuzz          hostile input for every reader, MINUTES=10 in all: tests/fuzz/README.md
#   make install       to $(DESTDIR)$(PREFIX)
#   make crash         crashes at every step of every scenario (docs/reliability.md)
#   make faults        every call to the disk made to fail in every way (docs/reliability.md)
#   make shared        hosts on one shared filesystem, as root on Debian, MINUTES=10 of it a soak: docs/scaling.md
#   make soak          everything at once, with kills, for MINUTES=10; WORKERS=2, SEED= repeats one
#   make hostile       clients that mean harm, SECONDS=10 a kind; with gcc and libssl-dev (docs/reliability.md)
#   make bench         beside other POP3 servers, as root on Debian: docs/performance.md
#   make audit         asks the registry for known faults of packages, and for its signatures
#   make reproduce     builds the executable twice, in two places, and compares
#   make licences      THIRD_PARTY_LICENSES.txt, after a change of packages
#   make docs          docs/settings.md and docs/conformance.md, from the sources that they describe
#   make clean         remove what was made

PREFIX ?= /usr/local
DESTDIR ?=
SUITES ?=
MINUTES ?= 10
TARGETS ?=
RUNTIME ?= deno

RUNTIMES := node_modules/.runtimes
BUN := $(RUNTIMES)/bun
DENO := $(RUNTIMES)/deno
INSTALLED := $(RUNTIMES)/installed
# The executable must not read a .env or bunfig.toml that lies where it happens to be started.
NO_AUTOLOAD := --no-compile-autoload-dotenv --no-compile-autoload-bunfig
# Each module that is loaded later is a file of its own, and what is loaded needs no parsing: half the time
# of a start, and 4 MiB less at rest, for 9 MiB more on the disk.
QUICK_START := --splitting --format=esm --bytecode
SOURCES := main.ts package.json tsconfig.json THIRD_PARTY_LICENSES.txt $(shell find src -name '*.ts')

.PHONY: run test check fuzz binary binary-deno install crash faults shared soak hostile bench bench-quick bench-page audit
.PHONY: reproduce licences docs clean

run: $(INSTALLED)
	@$(BUN) scripts/demo.ts

test: binary
	@BUN=$(BUN) DENO=$(DENO) $(BUN) tests/run.ts $(SUITES)

check: $(INSTALLED)
	@BUN=$(BUN) DENO=$(DENO) $(BUN) tests/run.ts format lint types unit

fuzz: dist/popkeep
	@POPKEEP_EXECUTABLE=$(CURDIR)/dist/popkeep \
		$(if $(filter deno,$(RUNTIME)),$(DENO) run -A --no-check,$(BUN)) \
		tests/fuzz/fuzz.ts --minutes $(MINUTES) $(TARGETS)

binary: dist/popkeep dist/popkeep.cdx.json

dist/popkeep: $(INSTALLED) $(SOURCES) Makefile
	@mkdir -p dist
	$(BUN) build --compile --minify $(QUICK_START) $(NO_AUTOLOAD) main.ts src/auth/hash_worker.ts \
		src/auth/gssapi/gssapi_worker.ts src/auth/pam/pam_worker.ts src/auth/sql/sqlite_worker.ts \
		src/maildir/listing_worker.ts --metafile=dist/popkeep.inputs.json --outfile $@

dist/popkeep.cdx.json: dist/popkeep $(wildcard scripts/supply/*.ts)
	@$(BUN) scripts/supply/write_sbom.ts dist/popkeep dist/popkeep.inputs.json $@

binary-deno: $(INSTALLED)
	@mkdir -p dist
	@sh scripts/compile_with_deno.sh $(DENO) dist/popkeep-deno

install: binary
	install -D -m 755 dist/popkeep $(DESTDIR)$(PREFIX)/bin/popkeep
	install -D -m 644 -t $(DESTDIR)$(PREFIX)/share/doc/popkeep LICENSE THIRD_PARTY_LICENSES.txt \
		dist/popkeep.cdx.json
	install -D -m 644 share/popkeep.1 $(DESTDIR)$(PREFIX)/share/man/man1/popkeep.1
	install -d $(DESTDIR)$(PREFIX)/lib/systemd/system
	sed 's|/usr/local/bin/|$(PREFIX)/bin/|' share/popkeep.service \
		> $(DESTDIR)$(PREFIX)/lib/systemd/system/popkeep.service
	install -D -m 644 share/popkeep.pam $(DESTDIR)$(PREFIX)/share/popkeep/pam.d/popkeep
	install -D -m 644 share/fail2ban/filter.d/popkeep.conf \
		$(DESTDIR)$(PREFIX)/share/popkeep/fail2ban/filter.d/popkeep.conf
	install -D -m 644 share/fail2ban/jail.d/popkeep.conf \
		$(DESTDIR)$(PREFIX)/share/popkeep/fail2ban/jail.d/popkeep.conf

CRASH_TESTS = ./tests/fault/crash_test.ts ./tests/fault/crash_kill_test.ts \
	./tests/fault/deliver_kill_test.ts ./tests/fault/import_kill_test.ts \
	./tests/fault/quota_kill_test.ts ./tests/fault/undelete_crash_test.ts

crash: dist/popkeep
	POPKEEP_CRASH=all $(BUN) test --timeout=7200000 $(CRASH_TESTS)
	POPKEEP_CRASH=all POPKEEP_EXECUTABLE=$(CURDIR)/dist/popkeep $(BUN) test --timeout=7200000 $(CRASH_TESTS)

faults: dist/popkeep
	POPKEEP_DISK_FAULTS=all $(BUN) test --timeout=7200000 ./tests/fault/disk_errors_test.ts
	POPKEEP_DISK_FAULTS=all POPKEEP_EXECUTABLE=dist/popkeep $(BUN) test --timeout=7200000 \
		./tests/fault/disk_errors_test.ts

shared: dist/popkeep
	POPKEEP_SHARED=all MINUTES=$(MINUTES) POPKEEP_EXECUTABLE=$(CURDIR)/dist/popkeep \
		$(BUN) test --timeout=7200000 ./tests/shared/

soak: dist/popkeep
	@POPKEEP_EXECUTABLE=dist/popkeep $(BUN) tests/fault/soak/soak_program.ts

hostile: dist/popkeep
	@POPKEEP_EXECUTABLE=dist/popkeep $(BUN) bench/hostile/hostile.ts

# What can be chosen, such as PEERS=dovecot-fast,popkeep TESTS=everyday ROUNDS=1: bench/README.md
bench: dist/popkeep
	@$(BUN) bench/bench.ts

bench-quick: dist/popkeep
	@PEERS=dovecot-fast,courier,popkeep,popkeep-tls,dovecot-fast-tls,raw-convert \
		TESTS=everyday,delete,large,idle ROUNDS=1 SECONDS=2 $(BUN) bench/bench.ts

bench-page: $(INSTALLED)
	@$(BUN) bench/page/write_page.ts bench/results/latest.jsonl docs/performance.md

audit: $(INSTALLED)
	@sh scripts/supply/audit.sh

reproduce: $(INSTALLED)
	@sh scripts/supply/build_twice.sh

licences: dist/popkeep
	$(BUN) scripts/supply/write_licences.ts dist/popkeep.inputs.json THIRD_PARTY_LICENSES.txt

docs: $(INSTALLED)
	$(BUN) main.ts config reference > docs/settings.md.new && mv docs/settings.md.new docs/settings.md
	$(BUN) tests/conformance/write_table.ts

clean:
	rm -rf dist .demo .fuzz

# The dev and optional packages hold the runtimes, so they are asked for whatever npm's own settings say. No
# package's code is run to install it: the runtimes are found where they lie.
$(INSTALLED): package.json package-lock.json scripts/link_runtimes.sh
	npm ci --ignore-scripts --include=dev --include=optional --no-audit --no-fund
	@sh scripts/link_runtimes.sh
	@touch $@
