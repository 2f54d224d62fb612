-- The tables of the main job: who may ask, what can run, what waits, what runs, what holds it back.
-- Instants are milliseconds since 1970; 0 means "not yet" or "none". States are numbered in core/life.h.

CREATE TABLE id_block (
	kind TEXT PRIMARY KEY,
	next INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE tenant (
	id INTEGER PRIMARY KEY,
	name TEXT NOT NULL UNIQUE,
	created_ms INTEGER NOT NULL
) STRICT;

CREATE TABLE account (
	id INTEGER PRIMARY KEY,
	tenant INTEGER NOT NULL,
	name TEXT NOT NULL,
	role TEXT NOT NULL,
	password TEXT,                       -- argon2id, NULL: none
	created_ms INTEGER NOT NULL,
	UNIQUE (tenant, name)
) STRICT;

CREATE TABLE token (
	digest BLOB PRIMARY KEY,             -- SHA-256 of the token; the token itself is nowhere
	account INTEGER NOT NULL,
	name TEXT NOT NULL,
	created_ms INTEGER NOT NULL,
	expires_ms INTEGER NOT NULL,         -- 0: never
	revoked_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX token_account ON token (account);

CREATE TABLE flow (
	id INTEGER PRIMARY KEY,
	tenant INTEGER NOT NULL,
	namespace TEXT NOT NULL,
	name TEXT NOT NULL,
	revision INTEGER NOT NULL,           -- the newest
	deleted_ms INTEGER NOT NULL,
	UNIQUE (tenant, namespace, name)
) STRICT;

CREATE TABLE revision (
	flow INTEGER NOT NULL,
	revision INTEGER NOT NULL,
	source TEXT NOT NULL,                -- the YAML as it was applied
	account TEXT NOT NULL,
	created_ms INTEGER NOT NULL,
	PRIMARY KEY (flow, revision)
) STRICT, WITHOUT ROWID;

-- How long a task usually takes; what core/forecast.h writes. Task '' is the whole flow.
CREATE TABLE forecast (
	flow INTEGER NOT NULL,
	task TEXT NOT NULL,
	sketch TEXT NOT NULL,
	PRIMARY KEY (flow, task)
) STRICT, WITHOUT ROWID;

-- id = tenant * 2^40 + number, so a tenant's executions lie together, oldest first.
CREATE TABLE execution (
	id INTEGER PRIMARY KEY,
	flow INTEGER NOT NULL,
	revision INTEGER NOT NULL,
	state INTEGER NOT NULL,
	priority INTEGER NOT NULL,
	account INTEGER NOT NULL,
	created_ms INTEGER NOT NULL,
	started_ms INTEGER NOT NULL,
	ended_ms INTEGER NOT NULL,
	inputs TEXT,                         -- a JSON object, NULL: none
	cause TEXT                           -- why it was stopped, killed, cancelled or lost
) STRICT;
CREATE INDEX execution_flow ON execution (flow, id);

-- A key makes a submit repeatable for 24 hours.
CREATE TABLE submit_key (
	flow INTEGER NOT NULL,
	key TEXT NOT NULL,
	digest BLOB NOT NULL,                -- of what was asked
	execution INTEGER NOT NULL,
	created_ms INTEGER NOT NULL,
	PRIMARY KEY (flow, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX submit_key_age ON submit_key (created_ms);

-- What an agent must offer: a pool and labels (sorted, joined by commas).
CREATE TABLE need (
	id INTEGER PRIMARY KEY,
	pool TEXT NOT NULL,
	labels TEXT NOT NULL,
	UNIQUE (pool, labels)
) STRICT;

-- One per flow, need and kind (0 advance, 1 start), with the first of its waiting rows as head. A rank is
-- the negated priority, so that what goes first sorts first.
CREATE TABLE backlog (
	id INTEGER PRIMARY KEY,
	tenant INTEGER NOT NULL,
	flow INTEGER NOT NULL,
	need INTEGER NOT NULL,
	kind INTEGER NOT NULL,
	is_open INTEGER NOT NULL,            -- has a row in ready
	head_rank INTEGER NOT NULL,
	head_ms INTEGER NOT NULL,
	UNIQUE (flow, need, kind)
) STRICT;
CREATE INDEX backlog_open ON backlog (kind, need, tenant, head_rank, head_ms) WHERE is_open = 1;

-- What may start as soon as the gate lets it and a slot is free. An execution that has not begun has one
-- row, in a backlog of kind start; ready_ms is when the execution was accepted, so the oldest goes first.
CREATE TABLE ready (
	backlog INTEGER NOT NULL,
	rank INTEGER NOT NULL,
	ready_ms INTEGER NOT NULL,
	execution INTEGER NOT NULL,
	task INTEGER NOT NULL,
	PRIMARY KEY (backlog, rank, ready_ms, execution, task)
) STRICT, WITHOUT ROWID;

CREATE TABLE agent (
	id INTEGER PRIMARY KEY,
	name TEXT NOT NULL UNIQUE,
	pool TEXT NOT NULL,
	labels TEXT NOT NULL,
	slots INTEGER NOT NULL,
	boot TEXT NOT NULL,
	spool TEXT NOT NULL,
	host TEXT NOT NULL,
	version TEXT NOT NULL,
	session INTEGER NOT NULL,            -- counts its hellos
	hello_ms INTEGER NOT NULL,
	contact_ms INTEGER NOT NULL,         -- last heard, to within a quarter of the lease
	is_forgotten INTEGER NOT NULL
) STRICT;

CREATE TABLE attempt (
	execution INTEGER NOT NULL,
	task INTEGER NOT NULL,
	try INTEGER NOT NULL,
	flow INTEGER NOT NULL,
	agent INTEGER NOT NULL,
	state INTEGER NOT NULL,
	result INTEGER NOT NULL,
	handed_ms INTEGER NOT NULL,
	began_ms INTEGER NOT NULL,
	ended_ms INTEGER NOT NULL,
	exit_code INTEGER NOT NULL,
	signal INTEGER NOT NULL,
	output_bytes INTEGER NOT NULL,
	is_cut INTEGER NOT NULL,
	detail TEXT,
	PRIMARY KEY (execution, task, try)
) STRICT, WITHOUT ROWID;
CREATE INDEX attempt_open ON attempt (agent) WHERE state < 4;

-- What attempts wrote, in the parts that agents sent.
CREATE TABLE output (
	execution INTEGER NOT NULL,
	task INTEGER NOT NULL,
	try INTEGER NOT NULL,
	offset INTEGER NOT NULL,
	bytes BLOB NOT NULL,
	PRIMARY KEY (execution, task, try, offset)
) STRICT, WITHOUT ROWID;

CREATE TABLE hold (
	id INTEGER PRIMARY KEY,
	phase INTEGER NOT NULL,              -- 0 planned, 1 draining, 2 suspended, 3 ended
	scope TEXT NOT NULL,                 -- as core/scope.h writes it
	policy TEXT NOT NULL,                -- as core/policy.h writes it: the values themselves
	account INTEGER NOT NULL,
	account_name TEXT NOT NULL,
	reason TEXT NOT NULL,
	ticket TEXT,
	ended_by TEXT,
	created_ms INTEGER NOT NULL,
	planned_ms INTEGER NOT NULL,
	began_ms INTEGER NOT NULL,
	suspended_ms INTEGER NOT NULL,
	ended_ms INTEGER NOT NULL,
	expires_ms INTEGER NOT NULL,
	drained_ms INTEGER NOT NULL,
	deadline_ms INTEGER NOT NULL,
	deadline_then INTEGER NOT NULL,      -- 0 wait, 1 stop, 2 kill
	grace_ms INTEGER NOT NULL,
	stopped_ms INTEGER NOT NULL,
	killed_ms INTEGER NOT NULL
) STRICT;
CREATE INDEX hold_in_force ON hold (id) WHERE phase < 3;

-- Every change of the holds raises the version; a claim commits only under the version it was decided under.
CREATE TABLE fence (
	one INTEGER PRIMARY KEY CHECK (one = 1),
	version INTEGER NOT NULL
) STRICT;

CREATE TABLE audit (
	id INTEGER PRIMARY KEY,
	at_ms INTEGER NOT NULL,
	tenant INTEGER NOT NULL,
	account INTEGER NOT NULL,
	account_name TEXT NOT NULL,
	act TEXT NOT NULL,                   -- "flow.apply"
	subject TEXT NOT NULL,               -- "ops.backup"
	detail TEXT NOT NULL                 -- a JSON object
) STRICT;
CREATE INDEX audit_tenant ON audit (tenant, id);

INSERT INTO tenant (id, name, created_ms) VALUES (1, 'main', 0);
INSERT INTO fence (one, version) VALUES (1, 1);
