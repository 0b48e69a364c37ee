-- Generated from the tables of every domain. Migrations make the real schema.

CREATE TABLE accounts (
  id VARCHAR(36) NOT NULL,
  name VARCHAR(100) NOT NULL,
  plan VARCHAR(30) NOT NULL,
  settings JSONB NOT NULL,
  is_system BOOLEAN NOT NULL,
  status VARCHAR(20) NOT NULL,
  version INTEGER NOT NULL,
  created_at TIMESTAMP WITH TIME ZONE NOT NULL,
  updated_at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_accounts PRIMARY KEY (id)
);

-- row-level security by workspace_id
CREATE TABLE agent_templates (
  id VARCHAR(36) NOT NULL,
  name VARCHAR(100) NOT NULL,
  description VARCHAR(20000),
  latest_version INTEGER NOT NULL,
  version INTEGER NOT NULL,
  created_at TIMESTAMP WITH TIME ZONE NOT NULL,
  updated_at TIMESTAMP WITH TIME ZONE NOT NULL,
  created_by VARCHAR(36),
  account_id VARCHAR(36) NOT NULL,
  workspace_id VARCHAR(36) NOT NULL,
  CONSTRAINT pk_agent_templates PRIMARY KEY (id)
);

CREATE INDEX ix_agent_templates_workspace_id ON agent_templates (workspace_id);

CREATE UNIQUE INDEX uq_agent_templates_name ON agent_templates (workspace_id, name);

CREATE TABLE audit_events (
  id VARCHAR(36) NOT NULL,
  account_id VARCHAR(36) NOT NULL,
  workspace_id VARCHAR(36),
  actor_id VARCHAR(64) NOT NULL,
  actor_kind VARCHAR(20) NOT NULL,
  actor_name VARCHAR(254) NOT NULL,
  action VARCHAR(100) NOT NULL,
  target_type VARCHAR(60) NOT NULL,
  target_id VARCHAR(200) NOT NULL,
  detail JSONB NOT NULL,
  request_id VARCHAR(200) NOT NULL,
  client_ip VARCHAR(64) NOT NULL,
  at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_audit_events PRIMARY KEY (id)
);

CREATE INDEX ix_audit_events_account ON audit_events (account_id, id);

CREATE INDEX ix_audit_events_workspace ON audit_events (workspace_id, id);

-- row-level security by workspace_id
CREATE TABLE changesets (
  id VARCHAR(36) NOT NULL,
  scan_id VARCHAR(36),
  status VARCHAR(20) NOT NULL,
  title VARCHAR(200) NOT NULL,
  summary TEXT NOT NULL,
  labels JSONB NOT NULL,
  agent_ids JSONB NOT NULL,
  base_versions JSONB NOT NULL,
  candidate_hashes JSONB NOT NULL,
  clusters_addressed JSONB NOT NULL,
  sample_set_version_id VARCHAR(36),
  objective_version_id VARCHAR(36),
  metrics JSONB NOT NULL,
  evidence JSONB NOT NULL,
  verdict VARCHAR(20),
  verdict_binding JSONB NOT NULL,
  gates JSONB NOT NULL,
  risk VARCHAR(10) NOT NULL,
  risk_reasons JSONB NOT NULL,
  autonomy_decision JSONB NOT NULL,
  result_versions JSONB NOT NULL,
  decided_by VARCHAR(36),
  decided_at TIMESTAMP WITH TIME ZONE,
  applied_by VARCHAR(36),
  applied_at TIMESTAMP WITH TIME ZONE,
  rollback_of VARCHAR(36),
  superseded_by VARCHAR(36),
  expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
  revision INTEGER NOT NULL,
  created_at TIMESTAMP WITH TIME ZONE NOT NULL,
  updated_at TIMESTAMP WITH TIME ZONE NOT NULL,
  created_by VARCHAR(36) NOT NULL,
  account_id VARCHAR(36) NOT NULL,
  workspace_id VARCHAR(36) NOT NULL,
  CONSTRAINT pk_changesets PRIMARY KEY (id)
);

CREATE INDEX ix_changesets_scan ON changesets (scan_id);

CREATE INDEX ix_changesets_workspace_id ON changesets (workspace_id);

CREATE INDEX ix_changesets_workspace_status ON changesets (workspace_id, status, id);

-- row-level security by workspace_id
CREATE TABLE holdout_looks (
  id VARCHAR(36) NOT NULL,
  sample_set_version_id VARCHAR(36) NOT NULL,
  look INTEGER NOT NULL,
  alpha DOUBLE PRECISION NOT NULL,
  run_id VARCHAR(36) NOT NULL,
  created_at TIMESTAMP WITH TIME ZONE NOT NULL,
  account_id VARCHAR(36) NOT NULL,
  workspace_id VARCHAR(36) NOT NULL,
  CONSTRAINT pk_holdout_looks PRIMARY KEY (id),
  CONSTRAINT uq_holdout_looks_sample_set_version_id_look UNIQUE (sample_set_version_id, look)
);

CREATE INDEX ix_holdout_looks_workspace_id ON holdout_looks (workspace_id);

CREATE TABLE idempotency_replies (
  principal VARCHAR(64) NOT NULL,
  route VARCHAR(400) NOT NULL,
  key VARCHAR(255) NOT NULL,
  body_hash VARCHAR(64) NOT NULL,
  status INTEGER NOT NULL,
  headers JSONB NOT NULL,
  body BYTEA NOT NULL,
  created_at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_idempotency_replies PRIMARY KEY (principal, route, key)
);

CREATE INDEX ix_idempotency_replies_created_at ON idempotency_replies (created_at);

CREATE TABLE job_outbox (
  id VARCHAR(36) NOT NULL,
  name VARCHAR(120) NOT NULL,
  queue VARCHAR(20) NOT NULL,
  payload JSONB NOT NULL,
  principal JSONB NOT NULL,
  tenant_account_id VARCHAR(36) NOT NULL,
  tenant_workspace_id VARCHAR(36) NOT NULL,
  dedupe_key VARCHAR(400),
  state VARCHAR(20) NOT NULL,
  created_at TIMESTAMP WITH TIME ZONE NOT NULL,
  run_at TIMESTAMP WITH TIME ZONE NOT NULL,
  started_at TIMESTAMP WITH TIME ZONE,
  finished_at TIMESTAMP WITH TIME ZONE,
  attempts INTEGER NOT NULL,
  failures INTEGER NOT NULL,
  losses INTEGER NOT NULL,
  steps_seen INTEGER NOT NULL,
  worker_id VARCHAR(80),
  lease_until TIMESTAMP WITH TIME ZONE,
  cancel_requested_at TIMESTAMP WITH TIME ZONE,
  progress_done INTEGER NOT NULL,
  progress_total INTEGER NOT NULL,
  progress_note TEXT NOT NULL,
  error_code VARCHAR(80),
  error_detail TEXT,
  error_incident VARCHAR(36),
  CONSTRAINT pk_job_outbox PRIMARY KEY (id),
  CONSTRAINT uq_job_outbox_dedupe_key UNIQUE (dedupe_key)
);

CREATE INDEX ix_job_outbox_due ON job_outbox (state, queue, run_at);

CREATE INDEX ix_job_outbox_lease ON job_outbox (state, lease_until);

CREATE INDEX ix_job_outbox_tenant ON job_outbox (tenant_workspace_id, id);

CREATE TABLE job_schedules (
  name VARCHAR(200) NOT NULL,
  cron VARCHAR(120) NOT NULL,
  zone VARCHAR(64) NOT NULL,
  job_name VARCHAR(120) NOT NULL,
  queue VARCHAR(20) NOT NULL,
  payload JSONB NOT NULL,
  principal JSONB NOT NULL,
  is_built_in BOOLEAN NOT NULL,
  is_enabled BOOLEAN NOT NULL,
  next_at TIMESTAMP WITH TIME ZONE NOT NULL,
  last_at TIMESTAMP WITH TIME ZONE,
  CONSTRAINT pk_job_schedules PRIMARY KEY (name)
);

CREATE INDEX ix_job_schedules_next_at ON job_schedules (next_at);

CREATE TABLE oauth_attempts (
  state_digest VARCHAR(64) NOT NULL,
  provider VARCHAR(60) NOT NULL,
  code_verifier VARCHAR(128) NOT NULL,
  nonce VARCHAR(64) NOT NULL,
  redirect_uri VARCHAR(400) NOT NULL,
  browser_digest VARCHAR(64),
  created_at TIMESTAMP WITH TIME ZONE NOT NULL,
  expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_oauth_attempts PRIMARY KEY (state_digest)
);

CREATE INDEX ix_oauth_attempts_expires_at ON oauth_attempts (expires_at);

-- row-level security by workspace_id
CREATE TABLE objectives (
  id VARCHAR(36) NOT NULL,
  name VARCHAR(100) NOT NULL,
  description TEXT NOT NULL,
  is_archived BOOLEAN NOT NULL,
  latest_version INTEGER NOT NULL,
  active_version INTEGER,
  revision INTEGER NOT NULL,
  created_at TIMESTAMP WITH TIME ZONE NOT NULL,
  updated_at TIMESTAMP WITH TIME ZONE NOT NULL,
  created_by VARCHAR(36) NOT NULL,
  account_id VARCHAR(36) NOT NULL,
  workspace_id VARCHAR(36) NOT NULL,
  CONSTRAINT pk_objectives PRIMARY KEY (id)
);

CREATE INDEX ix_objectives_workspace_id ON objectives (workspace_id);

-- row-level security by workspace_id
CREATE TABLE otlp_inbox (
  id BIGSERIAL NOT NULL,
  received_at TIMESTAMP WITH TIME ZONE NOT NULL,
  size INTEGER NOT NULL,
  failure VARCHAR(500),
  body BYTEA NOT NULL,
  account_id VARCHAR(36) NOT NULL,
  workspace_id VARCHAR(36) NOT NULL,
  CONSTRAINT pk_otlp_inbox PRIMARY KEY (id)
);

CREATE INDEX ix_otlp_inbox_workspace_id ON otlp_inbox (workspace_id);

-- row-level security by workspace_id
CREATE TABLE otlp_intake (
  workspace_id VARCHAR(36) NOT NULL,
  hour TIMESTAMP WITH TIME ZONE NOT NULL,
  outcome VARCHAR(40) NOT NULL,
  spans BIGINT NOT NULL,
  bytes BIGINT NOT NULL,
  last_at TIMESTAMP WITH TIME ZONE NOT NULL,
  account_id VARCHAR(36) NOT NULL,
  CONSTRAINT pk_otlp_intake PRIMARY KEY (workspace_id, hour, outcome)
);

-- row-level security by workspace_id
CREATE TABLE projects (
  id VARCHAR(36) NOT NULL,
  workspace_id VARCHAR(36) NOT NULL,
  owner_id VARCHAR(36) NOT NULL,
  client_id VARCHAR(255) NOT NULL,
  name TEXT NOT NULL,
  icon VARCHAR(30) NOT NULL,
  color VARCHAR(20) NOT NULL,
  created_at TIMESTAMP WITH TIME ZONE NOT NULL,
  updated_at TIMESTAMP WITH TIME ZONE NOT NULL,
  account_id VARCHAR(36) NOT NULL,
  CONSTRAINT pk_projects PRIMARY KEY (id),
  CONSTRAINT uq_projects_client_id UNIQUE (workspace_id, owner_id, client_id)
);

CREATE INDEX ix_projects_account ON projects (account_id);

-- row-level security by workspace_id
CREATE TABLE rubrics (
  id VARCHAR(36) NOT NULL,
  name VARCHAR(100) NOT NULL,
  description TEXT NOT NULL,
  is_archived BOOLEAN NOT NULL,
  latest_version INTEGER NOT NULL,
  active_version INTEGER,
  revision INTEGER NOT NULL,
  created_at TIMESTAMP WITH TIME ZONE NOT NULL,
  updated_at TIMESTAMP WITH TIME ZONE NOT NULL,
  created_by VARCHAR(36) NOT NULL,
  account_id VARCHAR(36) NOT NULL,
  workspace_id VARCHAR(36) NOT NULL,
  CONSTRAINT pk_rubrics PRIMARY KEY (id)
);

CREATE INDEX ix_rubrics_workspace_id ON rubrics (workspace_id);

-- row-level security by workspace_id
CREATE TABLE sample_sets (
  id VARCHAR(36) NOT NULL,
  name VARCHAR(100) NOT NULL,
  description TEXT NOT NULL,
  labels JSONB NOT NULL,
  latest_version INTEGER NOT NULL,
  revision INTEGER NOT NULL,
  created_at TIMESTAMP WITH TIME ZONE NOT NULL,
  updated_at TIMESTAMP WITH TIME ZONE NOT NULL,
  created_by VARCHAR(36) NOT NULL,
  account_id VARCHAR(36) NOT NULL,
  workspace_id VARCHAR(36) NOT NULL,
  CONSTRAINT pk_sample_sets PRIMARY KEY (id)
);

CREATE INDEX ix_sample_sets_workspace_created ON sample_sets (workspace_id, created_at);

CREATE INDEX ix_sample_sets_workspace_id ON sample_sets (workspace_id);

-- row-level security by workspace_id
CREATE TABLE scans (
  id VARCHAR(36) NOT NULL,
  name VARCHAR(100) NOT NULL,
  labels JSONB NOT NULL,
  agent_id VARCHAR(36) NOT NULL,
  sample_set_id VARCHAR(36) NOT NULL,
  sample_set_version_id VARCHAR(36) NOT NULL,
  objective_id VARCHAR(36) NOT NULL,
  objective_version_id VARCHAR(36) NOT NULL,
  retry_of VARCHAR(36),
  plan JSONB NOT NULL,
  seed BIGINT NOT NULL,
  status VARCHAR(20) NOT NULL,
  phase VARCHAR(20),
  outcome VARCHAR(30),
  is_pause_requested BOOLEAN NOT NULL,
  attempt INTEGER NOT NULL,
  progress_done INTEGER NOT NULL,
  progress_total INTEGER NOT NULL,
  readiness JSONB NOT NULL,
  results JSONB NOT NULL,
  used JSONB NOT NULL,
  timings JSONB NOT NULL,
  engine_versions JSONB NOT NULL,
  draft_insight JSONB NOT NULL,
  error JSONB NOT NULL,
  last_seq INTEGER NOT NULL,
  revision INTEGER NOT NULL,
  created_at TIMESTAMP WITH TIME ZONE NOT NULL,
  updated_at TIMESTAMP WITH TIME ZONE NOT NULL,
  started_at TIMESTAMP WITH TIME ZONE,
  finished_at TIMESTAMP WITH TIME ZONE,
  created_by VARCHAR(36) NOT NULL,
  account_id VARCHAR(36) NOT NULL,
  workspace_id VARCHAR(36) NOT NULL,
  CONSTRAINT pk_scans PRIMARY KEY (id)
);

CREATE INDEX ix_scans_agent_status ON scans (agent_id, status);

CREATE INDEX ix_scans_sample_set_id ON scans (sample_set_id);

CREATE INDEX ix_scans_workspace_created ON scans (workspace_id, created_at);

CREATE INDEX ix_scans_workspace_id ON scans (workspace_id);

-- row-level security by workspace_id
CREATE TABLE search_sessions (
  number BIGSERIAL NOT NULL,
  session_id VARCHAR(36) NOT NULL,
  workspace_id VARCHAR(36) NOT NULL,
  owner_id VARCHAR(36) NOT NULL,
  active_at TIMESTAMP WITH TIME ZONE NOT NULL,
  rules VARCHAR(20) NOT NULL,
  account_id VARCHAR(36) NOT NULL,
  CONSTRAINT pk_search_sessions PRIMARY KEY (number),
  CONSTRAINT uq_search_sessions_session_id UNIQUE (session_id)
);

CREATE INDEX ix_search_sessions_recency ON search_sessions (workspace_id, owner_id, active_at, number);

CREATE TABLE signing_keys (
  kid VARCHAR(64) NOT NULL,
  public_jwk JSONB NOT NULL,
  created_at TIMESTAMP WITH TIME ZONE NOT NULL,
  retired_at TIMESTAMP WITH TIME ZONE,
  CONSTRAINT pk_signing_keys PRIMARY KEY (kid)
);

-- row-level security by workspace_id
CREATE TABLE trace_annotations (
  id VARCHAR(36) NOT NULL,
  trace_id VARCHAR(32) NOT NULL,
  span_id VARCHAR(16) NOT NULL,
  name VARCHAR(100) NOT NULL,
  annotator VARCHAR(20) NOT NULL,
  score FLOAT,
  label VARCHAR(200),
  explanation TEXT,
  details JSONB NOT NULL,
  created_at TIMESTAMP WITH TIME ZONE NOT NULL,
  created_by VARCHAR(80) NOT NULL,
  account_id VARCHAR(36) NOT NULL,
  workspace_id VARCHAR(36) NOT NULL,
  CONSTRAINT pk_trace_annotations PRIMARY KEY (id)
);

CREATE INDEX ix_trace_annotations_trace ON trace_annotations (workspace_id, trace_id);

CREATE INDEX ix_trace_annotations_workspace_id ON trace_annotations (workspace_id);

-- row-level security by workspace_id
CREATE TABLE trace_exports (
  id VARCHAR(36) NOT NULL,
  format VARCHAR(20) NOT NULL,
  state VARCHAR(20) NOT NULL,
  conditions JSONB NOT NULL,
  traces INTEGER NOT NULL,
  spans INTEGER NOT NULL,
  size BIGINT NOT NULL,
  digest VARCHAR(64),
  problem VARCHAR(500),
  created_at TIMESTAMP WITH TIME ZONE NOT NULL,
  finished_at TIMESTAMP WITH TIME ZONE,
  created_by VARCHAR(80) NOT NULL,
  account_id VARCHAR(36) NOT NULL,
  workspace_id VARCHAR(36) NOT NULL,
  CONSTRAINT pk_trace_exports PRIMARY KEY (id)
);

CREATE INDEX ix_trace_exports_workspace_id ON trace_exports (workspace_id);

-- row-level security by workspace_id
CREATE TABLE trace_feedback (
  id VARCHAR(36) NOT NULL,
  trace_id VARCHAR(32) NOT NULL,
  span_id VARCHAR(16) NOT NULL,
  user_ref VARCHAR(200) NOT NULL,
  kind VARCHAR(20) NOT NULL,
  name VARCHAR(100) NOT NULL,
  value JSONB NOT NULL,
  score FLOAT,
  created_at TIMESTAMP WITH TIME ZONE NOT NULL,
  updated_at TIMESTAMP WITH TIME ZONE NOT NULL,
  created_by VARCHAR(80) NOT NULL,
  account_id VARCHAR(36) NOT NULL,
  workspace_id VARCHAR(36) NOT NULL,
  CONSTRAINT pk_trace_feedback PRIMARY KEY (id),
  CONSTRAINT uq_trace_feedback_once UNIQUE (workspace_id, trace_id, span_id, user_ref, kind, name)
);

CREATE INDEX ix_trace_feedback_recent ON trace_feedback (workspace_id, created_at);

CREATE INDEX ix_trace_feedback_workspace_id ON trace_feedback (workspace_id);

-- row-level security by workspace_id
CREATE TABLE usage_records (
  id VARCHAR(36) NOT NULL,
  scan_id VARCHAR(36),
  run_id VARCHAR(36),
  phase VARCHAR(20) NOT NULL,
  purpose VARCHAR(20) NOT NULL,
  provider VARCHAR(60) NOT NULL,
  model VARCHAR(200) NOT NULL,
  calls BIGINT NOT NULL,
  cache_hits BIGINT NOT NULL,
  tokens_in BIGINT NOT NULL,
  tokens_out BIGINT NOT NULL,
  cached_in BIGINT NOT NULL,
  micro_usd BIGINT,
  wall_ms DOUBLE PRECISION NOT NULL,
  price_source VARCHAR(10) NOT NULL,
  created_at TIMESTAMP WITH TIME ZONE NOT NULL,
  account_id VARCHAR(36) NOT NULL,
  workspace_id VARCHAR(36) NOT NULL,
  CONSTRAINT pk_usage_records PRIMARY KEY (id)
);

CREATE INDEX ix_usage_records_scan ON usage_records (scan_id);

CREATE INDEX ix_usage_records_workspace_id ON usage_records (workspace_id);

-- row-level security by workspace_id
CREATE TABLE validation_runs (
  id VARCHAR(36) NOT NULL,
  changeset_id VARCHAR(36) NOT NULL,
  status VARCHAR(20) NOT NULL,
  verdict VARCHAR(20),
  reason TEXT NOT NULL,
  repeats INTEGER NOT NULL,
  sample_set_version_id VARCHAR(36) NOT NULL,
  objective_version_id VARCHAR(36) NOT NULL,
  binding JSONB NOT NULL,
  result JSONB NOT NULL,
  error JSONB NOT NULL,
  created_at TIMESTAMP WITH TIME ZONE NOT NULL,
  updated_at TIMESTAMP WITH TIME ZONE NOT NULL,
  finished_at TIMESTAMP WITH TIME ZONE,
  created_by VARCHAR(36) NOT NULL,
  account_id VARCHAR(36) NOT NULL,
  workspace_id VARCHAR(36) NOT NULL,
  CONSTRAINT pk_validation_runs PRIMARY KEY (id)
);

CREATE INDEX ix_validation_runs_changeset ON validation_runs (changeset_id, id);

CREATE INDEX ix_validation_runs_workspace_id ON validation_runs (workspace_id);

CREATE TABLE workspaces (
  id VARCHAR(36) NOT NULL,
  account_id VARCHAR(36) NOT NULL,
  name VARCHAR(100) NOT NULL,
  description VARCHAR(2000) NOT NULL,
  status VARCHAR(20) NOT NULL,
  is_system BOOLEAN NOT NULL,
  timezone VARCHAR(64) NOT NULL,
  autonomy JSONB NOT NULL,
  retention JSONB NOT NULL,
  version INTEGER NOT NULL,
  created_at TIMESTAMP WITH TIME ZONE NOT NULL,
  updated_at TIMESTAMP WITH TIME ZONE NOT NULL,
  created_by VARCHAR(36),
  archived_at TIMESTAMP WITH TIME ZONE,
  CONSTRAINT pk_workspaces PRIMARY KEY (id)
);

CREATE INDEX ix_workspaces_account ON workspaces (account_id, id);

CREATE TABLE account_exports (
  id VARCHAR(36) NOT NULL,
  account_id VARCHAR(36) NOT NULL,
  status VARCHAR(20) NOT NULL,
  blob_digest VARCHAR(64),
  requested_by VARCHAR(64) NOT NULL,
  created_at TIMESTAMP WITH TIME ZONE NOT NULL,
  finished_at TIMESTAMP WITH TIME ZONE,
  CONSTRAINT pk_account_exports PRIMARY KEY (id),
  CONSTRAINT fk_account_exports_account_id FOREIGN KEY(account_id) REFERENCES accounts (id) ON DELETE CASCADE
);

CREATE INDEX ix_account_exports_account_id ON account_exports (account_id);

-- row-level security by workspace_id
CREATE TABLE agent_template_versions (
  template_id VARCHAR(36) NOT NULL,
  version INTEGER NOT NULL,
  config JSONB NOT NULL,
  config_hash VARCHAR(64) NOT NULL,
  note VARCHAR(2000) NOT NULL,
  created_at TIMESTAMP WITH TIME ZONE NOT NULL,
  created_by VARCHAR(36),
  account_id VARCHAR(36) NOT NULL,
  workspace_id VARCHAR(36) NOT NULL,
  CONSTRAINT pk_agent_template_versions PRIMARY KEY (template_id, version),
  CONSTRAINT fk_agent_template_versions_template_id FOREIGN KEY(template_id) REFERENCES agent_templates (id) ON DELETE CASCADE
);

CREATE INDEX ix_agent_template_versions_workspace_id ON agent_template_versions (workspace_id);

-- row-level security by workspace_id
CREATE TABLE agents (
  id VARCHAR(36) NOT NULL,
  name VARCHAR(100) NOT NULL,
  slug VARCHAR(120) NOT NULL,
  role VARCHAR(100),
  description VARCHAR(20000),
  origin VARCHAR(20) NOT NULL,
  status VARCHAR(20) NOT NULL,
  runtime JSONB NOT NULL,
  match JSONB NOT NULL,
  template_id VARCHAR(36),
  template_mode VARCHAR(20),
  template_version INTEGER,
  promoted_version INTEGER NOT NULL,
  latest_version INTEGER NOT NULL,
  components JSONB NOT NULL,
  has_declared_components BOOLEAN NOT NULL,
  version INTEGER NOT NULL,
  created_at TIMESTAMP WITH TIME ZONE NOT NULL,
  updated_at TIMESTAMP WITH TIME ZONE NOT NULL,
  created_by VARCHAR(36),
  account_id VARCHAR(36) NOT NULL,
  workspace_id VARCHAR(36) NOT NULL,
  CONSTRAINT pk_agents PRIMARY KEY (id),
  CONSTRAINT fk_agents_template_id FOREIGN KEY(template_id) REFERENCES agent_templates (id)
);

CREATE INDEX ix_agents_template ON agents (template_id);

CREATE INDEX ix_agents_workspace_id ON agents (workspace_id);

CREATE UNIQUE INDEX uq_agents_name ON agents (workspace_id, name) WHERE status = 'active';

CREATE UNIQUE INDEX uq_agents_slug ON agents (workspace_id, slug) WHERE status = 'active';

-- row-level security by workspace_id
CREATE TABLE api_keys (
  id VARCHAR(36) NOT NULL,
  workspace_id VARCHAR(36) NOT NULL,
  name VARCHAR(100) NOT NULL,
  digest VARCHAR(64) NOT NULL,
  prefix VARCHAR(20) NOT NULL,
  last4 VARCHAR(4) NOT NULL,
  created_at TIMESTAMP WITH TIME ZONE NOT NULL,
  created_by VARCHAR(36),
  last_used_at TIMESTAMP WITH TIME ZONE,
  expires_at TIMESTAMP WITH TIME ZONE,
  revoked_at TIMESTAMP WITH TIME ZONE,
  rotated_from VARCHAR(36),
  account_id VARCHAR(36) NOT NULL,
  CONSTRAINT pk_api_keys PRIMARY KEY (id),
  CONSTRAINT fk_api_keys_workspace_id FOREIGN KEY(workspace_id) REFERENCES workspaces (id) ON DELETE CASCADE,
  CONSTRAINT uq_api_keys_digest UNIQUE (digest)
);

CREATE INDEX ix_api_keys_workspace_id ON api_keys (workspace_id);

-- row-level security by workspace_id
CREATE TABLE changeset_agents (
  changeset_id VARCHAR(36) NOT NULL,
  agent_id VARCHAR(36) NOT NULL,
  account_id VARCHAR(36) NOT NULL,
  workspace_id VARCHAR(36) NOT NULL,
  CONSTRAINT pk_changeset_agents PRIMARY KEY (changeset_id, agent_id),
  CONSTRAINT fk_changeset_agents_changeset_id FOREIGN KEY(changeset_id) REFERENCES changesets (id) ON DELETE CASCADE
);

CREATE INDEX ix_changeset_agents_agent_id ON changeset_agents (agent_id);

CREATE INDEX ix_changeset_agents_workspace_id ON changeset_agents (workspace_id);

-- row-level security by workspace_id
CREATE TABLE changeset_comments (
  id VARCHAR(36) NOT NULL,
  changeset_id VARCHAR(36) NOT NULL,
  author VARCHAR(36) NOT NULL,
  text TEXT NOT NULL,
  created_at TIMESTAMP WITH TIME ZONE NOT NULL,
  account_id VARCHAR(36) NOT NULL,
  workspace_id VARCHAR(36) NOT NULL,
  CONSTRAINT pk_changeset_comments PRIMARY KEY (id),
  CONSTRAINT fk_changeset_comments_changeset_id FOREIGN KEY(changeset_id) REFERENCES changesets (id) ON DELETE CASCADE
);

CREATE INDEX ix_changeset_comments_changeset_id ON changeset_comments (changeset_id);

CREATE INDEX ix_changeset_comments_workspace_id ON changeset_comments (workspace_id);

-- row-level security by workspace_id
CREATE TABLE changeset_decisions (
  id VARCHAR(36) NOT NULL,
  changeset_id VARCHAR(36) NOT NULL,
  verb VARCHAR(20) NOT NULL,
  actor VARCHAR(36) NOT NULL,
  reason TEXT NOT NULL,
  detail JSONB NOT NULL,
  created_at TIMESTAMP WITH TIME ZONE NOT NULL,
  account_id VARCHAR(36) NOT NULL,
  workspace_id VARCHAR(36) NOT NULL,
  CONSTRAINT pk_changeset_decisions PRIMARY KEY (id),
  CONSTRAINT fk_changeset_decisions_changeset_id FOREIGN KEY(changeset_id) REFERENCES changesets (id) ON DELETE CASCADE
);

CREATE INDEX ix_changeset_decisions_changeset_id ON changeset_decisions (changeset_id);

CREATE INDEX ix_changeset_decisions_workspace_id ON changeset_decisions (workspace_id);

-- row-level security by workspace_id
CREATE TABLE changeset_edits (
  changeset_id VARCHAR(36) NOT NULL,
  ordinal INTEGER NOT NULL,
  agent_id VARCHAR(36) NOT NULL,
  pointer TEXT NOT NULL,
  op VARCHAR(10) NOT NULL,
  before JSONB,
  after JSONB,
  diff TEXT NOT NULL,
  operator VARCHAR(60) NOT NULL,
  rationale TEXT NOT NULL,
  evidence JSONB NOT NULL,
  account_id VARCHAR(36) NOT NULL,
  workspace_id VARCHAR(36) NOT NULL,
  CONSTRAINT pk_changeset_edits PRIMARY KEY (changeset_id, ordinal),
  CONSTRAINT fk_changeset_edits_changeset_id FOREIGN KEY(changeset_id) REFERENCES changesets (id) ON DELETE CASCADE
);

CREATE INDEX ix_changeset_edits_workspace_id ON changeset_edits (workspace_id);

-- row-level security by workspace_id
CREATE TABLE changeset_events (
  id VARCHAR(36) NOT NULL,
  changeset_id VARCHAR(36) NOT NULL,
  seq INTEGER NOT NULL,
  type VARCHAR(60) NOT NULL,
  actor VARCHAR(36) NOT NULL,
  data JSONB NOT NULL,
  created_at TIMESTAMP WITH TIME ZONE NOT NULL,
  account_id VARCHAR(36) NOT NULL,
  workspace_id VARCHAR(36) NOT NULL,
  CONSTRAINT pk_changeset_events PRIMARY KEY (id),
  CONSTRAINT uq_changeset_events_changeset_id_seq UNIQUE (changeset_id, seq),
  CONSTRAINT fk_changeset_events_changeset_id FOREIGN KEY(changeset_id) REFERENCES changesets (id) ON DELETE CASCADE
);

CREATE INDEX ix_changeset_events_workspace_id ON changeset_events (workspace_id);

-- row-level security by workspace_id
CREATE TABLE coding_sessions (
  id VARCHAR(36) NOT NULL,
  workspace_id VARCHAR(36) NOT NULL,
  owner_id VARCHAR(36) NOT NULL,
  project_id VARCHAR(36) NOT NULL,
  client_id VARCHAR(128) NOT NULL,
  name TEXT NOT NULL,
  user_title TEXT,
  title TEXT,
  summary TEXT,
  opening TEXT,
  client_name TEXT,
  client_version TEXT,
  agent_name TEXT,
  device_id TEXT,
  machine_name TEXT,
  slug TEXT,
  schema_version TEXT,
  markdown_version TEXT,
  share_status VARCHAR(10) NOT NULL,
  shared_at TIMESTAMP WITH TIME ZONE,
  metadata_json BYTEA NOT NULL,
  models JSONB NOT NULL,
  branches JSONB NOT NULL,
  tags JSONB NOT NULL,
  markdown_size BIGINT NOT NULL,
  raw_size BIGINT NOT NULL,
  data_size BIGINT,
  is_parsed BOOLEAN NOT NULL,
  parse_problem TEXT,
  derivation INTEGER NOT NULL,
  started_at TIMESTAMP WITH TIME ZONE,
  ended_at TIMESTAMP WITH TIME ZONE,
  active_at TIMESTAMP WITH TIME ZONE NOT NULL,
  created_at TIMESTAMP WITH TIME ZONE NOT NULL,
  updated_at TIMESTAMP WITH TIME ZONE NOT NULL,
  content_digest VARCHAR(64) NOT NULL,
  revision INTEGER NOT NULL,
  etag VARCHAR(64) NOT NULL,
  exchange_count INTEGER NOT NULL,
  message_count INTEGER NOT NULL,
  tool_calls INTEGER NOT NULL,
  tool_errors INTEGER NOT NULL,
  has_error BOOLEAN NOT NULL,
  input_tokens BIGINT NOT NULL,
  output_tokens BIGINT NOT NULL,
  cache_read_tokens BIGINT NOT NULL,
  cache_write_tokens BIGINT NOT NULL,
  reasoning_tokens BIGINT NOT NULL,
  cost_usd DOUBLE PRECISION,
  account_id VARCHAR(36) NOT NULL,
  CONSTRAINT pk_coding_sessions PRIMARY KEY (id),
  CONSTRAINT uq_coding_sessions_client_id UNIQUE (project_id, client_id),
  CONSTRAINT fk_coding_sessions_project_id FOREIGN KEY(project_id) REFERENCES projects (id) ON DELETE CASCADE
);

CREATE INDEX ix_coding_sessions_active ON coding_sessions (workspace_id, owner_id, active_at);

CREATE INDEX ix_coding_sessions_client ON coding_sessions (client_id);

-- row-level security by workspace_id
CREATE TABLE failure_clusters (
  id VARCHAR(36) NOT NULL,
  scan_id VARCHAR(36) NOT NULL,
  ordinal INTEGER NOT NULL,
  key VARCHAR(64) NOT NULL,
  parent_id VARCHAR(36),
  kind VARCHAR(60) NOT NULL,
  name VARCHAR(200) NOT NULL,
  description TEXT NOT NULL,
  size INTEGER NOT NULL,
  share DOUBLE PRECISION NOT NULL,
  severity VARCHAR(10) NOT NULL,
  status VARCHAR(20) NOT NULL,
  body JSONB NOT NULL,
  is_curated BOOLEAN NOT NULL,
  revision INTEGER NOT NULL,
  created_at TIMESTAMP WITH TIME ZONE NOT NULL,
  updated_at TIMESTAMP WITH TIME ZONE NOT NULL,
  account_id VARCHAR(36) NOT NULL,
  workspace_id VARCHAR(36) NOT NULL,
  CONSTRAINT pk_failure_clusters PRIMARY KEY (id),
  CONSTRAINT fk_failure_clusters_scan_id FOREIGN KEY(scan_id) REFERENCES scans (id) ON DELETE CASCADE
);

CREATE INDEX ix_failure_clusters_scan ON failure_clusters (scan_id, ordinal);

CREATE INDEX ix_failure_clusters_workspace_id ON failure_clusters (workspace_id);

CREATE TABLE invites (
  id VARCHAR(36) NOT NULL,
  account_id VARCHAR(36) NOT NULL,
  email VARCHAR(254) NOT NULL,
  account_role VARCHAR(20) NOT NULL,
  workspaces JSONB NOT NULL,
  status VARCHAR(20) NOT NULL,
  token_digest VARCHAR(64) NOT NULL,
  created_by VARCHAR(64) NOT NULL,
  created_at TIMESTAMP WITH TIME ZONE NOT NULL,
  expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
  decided_at TIMESTAMP WITH TIME ZONE,
  accepted_by VARCHAR(36),
  CONSTRAINT pk_invites PRIMARY KEY (id),
  CONSTRAINT fk_invites_account_id FOREIGN KEY(account_id) REFERENCES accounts (id) ON DELETE CASCADE,
  CONSTRAINT uq_invites_token_digest UNIQUE (token_digest)
);

CREATE INDEX ix_invites_account_email ON invites (account_id, email);

CREATE TABLE job_steps (
  job_id VARCHAR(36) NOT NULL,
  key VARCHAR(200) NOT NULL,
  result JSONB NOT NULL,
  attempt INTEGER NOT NULL,
  finished_at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_job_steps PRIMARY KEY (job_id, key),
  CONSTRAINT fk_job_steps_job_id FOREIGN KEY(job_id) REFERENCES job_outbox (id) ON DELETE CASCADE
);

-- row-level security by workspace_id
CREATE TABLE objective_versions (
  id VARCHAR(36) NOT NULL,
  objective_id VARCHAR(36) NOT NULL,
  version INTEGER NOT NULL,
  status VARCHAR(20) NOT NULL,
  body JSONB NOT NULL,
  content_hash VARCHAR(64) NOT NULL,
  created_at TIMESTAMP WITH TIME ZONE NOT NULL,
  activated_at TIMESTAMP WITH TIME ZONE,
  created_by VARCHAR(36) NOT NULL,
  account_id VARCHAR(36) NOT NULL,
  workspace_id VARCHAR(36) NOT NULL,
  CONSTRAINT pk_objective_versions PRIMARY KEY (id),
  CONSTRAINT uq_objective_versions_objective_id_version UNIQUE (objective_id, version),
  CONSTRAINT fk_objective_versions_objective_id FOREIGN KEY(objective_id) REFERENCES objectives (id) ON DELETE CASCADE
);

CREATE INDEX ix_objective_versions_workspace_id ON objective_versions (workspace_id);

-- row-level security by workspace_id
CREATE TABLE project_aliases (
  workspace_id VARCHAR(36) NOT NULL,
  owner_id VARCHAR(36) NOT NULL,
  alias VARCHAR(255) NOT NULL,
  project_id VARCHAR(36) NOT NULL,
  created_at TIMESTAMP WITH TIME ZONE NOT NULL,
  account_id VARCHAR(36) NOT NULL,
  CONSTRAINT pk_project_aliases PRIMARY KEY (workspace_id, owner_id, alias),
  CONSTRAINT fk_project_aliases_project_id FOREIGN KEY(project_id) REFERENCES projects (id) ON DELETE CASCADE
);

CREATE INDEX ix_project_aliases_project ON project_aliases (project_id);

-- row-level security by workspace_id
CREATE TABLE rubric_versions (
  id VARCHAR(36) NOT NULL,
  rubric_id VARCHAR(36) NOT NULL,
  version INTEGER NOT NULL,
  status VARCHAR(20) NOT NULL,
  dimensions JSONB NOT NULL,
  aggregation VARCHAR(20) NOT NULL,
  content_hash VARCHAR(64) NOT NULL,
  created_at TIMESTAMP WITH TIME ZONE NOT NULL,
  activated_at TIMESTAMP WITH TIME ZONE,
  created_by VARCHAR(36) NOT NULL,
  account_id VARCHAR(36) NOT NULL,
  workspace_id VARCHAR(36) NOT NULL,
  CONSTRAINT pk_rubric_versions PRIMARY KEY (id),
  CONSTRAINT uq_rubric_versions_rubric_id_version UNIQUE (rubric_id, version),
  CONSTRAINT fk_rubric_versions_rubric_id FOREIGN KEY(rubric_id) REFERENCES rubrics (id) ON DELETE CASCADE
);

CREATE INDEX ix_rubric_versions_workspace_id ON rubric_versions (workspace_id);

-- row-level security by workspace_id
CREATE TABLE sample_set_versions (
  id VARCHAR(36) NOT NULL,
  set_id VARCHAR(36) NOT NULL,
  version INTEGER NOT NULL,
  status VARCHAR(20) NOT NULL,
  split JSONB NOT NULL,
  leakage JSONB NOT NULL,
  counts JSONB NOT NULL,
  content_hash VARCHAR(64) NOT NULL,
  is_sealed BOOLEAN NOT NULL,
  created_at TIMESTAMP WITH TIME ZONE NOT NULL,
  updated_at TIMESTAMP WITH TIME ZONE NOT NULL,
  frozen_at TIMESTAMP WITH TIME ZONE,
  created_by VARCHAR(36) NOT NULL,
  account_id VARCHAR(36) NOT NULL,
  workspace_id VARCHAR(36) NOT NULL,
  CONSTRAINT pk_sample_set_versions PRIMARY KEY (id),
  CONSTRAINT uq_sample_set_versions_set_id_version UNIQUE (set_id, version),
  CONSTRAINT fk_sample_set_versions_set_id FOREIGN KEY(set_id) REFERENCES sample_sets (id) ON DELETE CASCADE
);

CREATE INDEX ix_sample_set_versions_workspace_id ON sample_set_versions (workspace_id);

-- row-level security by workspace_id
CREATE TABLE scan_candidates (
  id VARCHAR(36) NOT NULL,
  scan_id VARCHAR(36) NOT NULL,
  ordinal INTEGER NOT NULL,
  parent_ids JSONB NOT NULL,
  operator VARCHAR(60) NOT NULL,
  edits JSONB NOT NULL,
  components JSONB NOT NULL,
  config_hash VARCHAR(64) NOT NULL,
  mb_score DOUBLE PRECISION,
  val_score DOUBLE PRECISION,
  objective_scores JSONB NOT NULL,
  on_frontier BOOLEAN NOT NULL,
  accepted BOOLEAN NOT NULL,
  reject_reason VARCHAR(60),
  created_at TIMESTAMP WITH TIME ZONE NOT NULL,
  account_id VARCHAR(36) NOT NULL,
  workspace_id VARCHAR(36) NOT NULL,
  CONSTRAINT pk_scan_candidates PRIMARY KEY (id),
  CONSTRAINT uq_scan_candidates_scan_id_ordinal UNIQUE (scan_id, ordinal),
  CONSTRAINT fk_scan_candidates_scan_id FOREIGN KEY(scan_id) REFERENCES scans (id) ON DELETE CASCADE
);

CREATE INDEX ix_scan_candidates_workspace_id ON scan_candidates (workspace_id);

-- row-level security by workspace_id
CREATE TABLE scan_checkpoints (
  scan_id VARCHAR(36) NOT NULL,
  phase VARCHAR(20) NOT NULL,
  state JSONB NOT NULL,
  saved_at TIMESTAMP WITH TIME ZONE NOT NULL,
  account_id VARCHAR(36) NOT NULL,
  workspace_id VARCHAR(36) NOT NULL,
  CONSTRAINT pk_scan_checkpoints PRIMARY KEY (scan_id, phase),
  CONSTRAINT fk_scan_checkpoints_scan_id FOREIGN KEY(scan_id) REFERENCES scans (id) ON DELETE CASCADE
);

CREATE INDEX ix_scan_checkpoints_workspace_id ON scan_checkpoints (workspace_id);

-- row-level security by workspace_id
CREATE TABLE scan_evaluations (
  scan_id VARCHAR(36) NOT NULL,
  candidate_id VARCHAR(36) NOT NULL,
  split VARCHAR(10) NOT NULL,
  packed JSONB NOT NULL,
  created_at TIMESTAMP WITH TIME ZONE NOT NULL,
  account_id VARCHAR(36) NOT NULL,
  workspace_id VARCHAR(36) NOT NULL,
  CONSTRAINT pk_scan_evaluations PRIMARY KEY (scan_id, candidate_id, split),
  CONSTRAINT fk_scan_evaluations_scan_id FOREIGN KEY(scan_id) REFERENCES scans (id) ON DELETE CASCADE
);

CREATE INDEX ix_scan_evaluations_workspace_id ON scan_evaluations (workspace_id);

-- row-level security by workspace_id
CREATE TABLE scan_events (
  scan_id VARCHAR(36) NOT NULL,
  seq INTEGER NOT NULL,
  ts TIMESTAMP WITH TIME ZONE NOT NULL,
  type VARCHAR(40) NOT NULL,
  phase VARCHAR(20),
  level VARCHAR(10) NOT NULL,
  data JSONB NOT NULL,
  account_id VARCHAR(36) NOT NULL,
  workspace_id VARCHAR(36) NOT NULL,
  CONSTRAINT pk_scan_events PRIMARY KEY (scan_id, seq),
  CONSTRAINT fk_scan_events_scan_id FOREIGN KEY(scan_id) REFERENCES scans (id) ON DELETE CASCADE
);

CREATE INDEX ix_scan_events_workspace_id ON scan_events (workspace_id);

CREATE TABLE users (
  id VARCHAR(36) NOT NULL,
  account_id VARCHAR(36) NOT NULL,
  email VARCHAR(254) NOT NULL,
  name VARCHAR(100) NOT NULL,
  timezone VARCHAR(64) NOT NULL,
  email_verified_at TIMESTAMP WITH TIME ZONE,
  password_hash VARCHAR(200),
  status VARCHAR(20) NOT NULL,
  version INTEGER NOT NULL,
  created_at TIMESTAMP WITH TIME ZONE NOT NULL,
  updated_at TIMESTAMP WITH TIME ZONE NOT NULL,
  last_sign_in_at TIMESTAMP WITH TIME ZONE,
  CONSTRAINT pk_users PRIMARY KEY (id),
  CONSTRAINT fk_users_account_id FOREIGN KEY(account_id) REFERENCES accounts (id) ON DELETE CASCADE,
  CONSTRAINT uq_users_email UNIQUE (email)
);

CREATE INDEX ix_users_account_id ON users (account_id);

-- row-level security by workspace_id
CREATE TABLE workspace_members (
  workspace_id VARCHAR(36) NOT NULL,
  user_id VARCHAR(36) NOT NULL,
  role VARCHAR(20) NOT NULL,
  version INTEGER NOT NULL,
  created_at TIMESTAMP WITH TIME ZONE NOT NULL,
  created_by VARCHAR(36),
  account_id VARCHAR(36) NOT NULL,
  CONSTRAINT pk_workspace_members PRIMARY KEY (workspace_id, user_id),
  CONSTRAINT fk_workspace_members_workspace_id FOREIGN KEY(workspace_id) REFERENCES workspaces (id) ON DELETE CASCADE
);

CREATE INDEX ix_workspace_members_user_id ON workspace_members (user_id);

-- row-level security by workspace_id
CREATE TABLE workspace_webhooks (
  id VARCHAR(36) NOT NULL,
  workspace_id VARCHAR(36) NOT NULL,
  url VARCHAR(2000) NOT NULL,
  events JSONB NOT NULL,
  salt VARCHAR(64) NOT NULL,
  status VARCHAR(20) NOT NULL,
  last_event_id VARCHAR(36) NOT NULL,
  last_sent_at TIMESTAMP WITH TIME ZONE,
  failing_since TIMESTAMP WITH TIME ZONE,
  last_error VARCHAR(300),
  created_at TIMESTAMP WITH TIME ZONE NOT NULL,
  created_by VARCHAR(36),
  account_id VARCHAR(36) NOT NULL,
  CONSTRAINT pk_workspace_webhooks PRIMARY KEY (id),
  CONSTRAINT fk_workspace_webhooks_workspace_id FOREIGN KEY(workspace_id) REFERENCES workspaces (id) ON DELETE CASCADE
);

CREATE INDEX ix_workspace_webhooks_workspace_id ON workspace_webhooks (workspace_id);

CREATE TABLE account_members (
  account_id VARCHAR(36) NOT NULL,
  user_id VARCHAR(36) NOT NULL,
  role VARCHAR(20) NOT NULL,
  operations_scopes JSONB NOT NULL,
  joined_at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_account_members PRIMARY KEY (account_id, user_id),
  CONSTRAINT fk_account_members_account_id FOREIGN KEY(account_id) REFERENCES accounts (id) ON DELETE CASCADE,
  CONSTRAINT fk_account_members_user_id FOREIGN KEY(user_id) REFERENCES users (id) ON DELETE CASCADE
);

CREATE INDEX ix_account_members_user_id ON account_members (user_id);

-- row-level security by workspace_id
CREATE TABLE agent_config_versions (
  agent_id VARCHAR(36) NOT NULL,
  version INTEGER NOT NULL,
  parent_version INTEGER,
  config JSONB NOT NULL,
  config_hash VARCHAR(64) NOT NULL,
  source VARCHAR(20) NOT NULL,
  changeset_id VARCHAR(36),
  note VARCHAR(2000) NOT NULL,
  created_at TIMESTAMP WITH TIME ZONE NOT NULL,
  created_by VARCHAR(36),
  account_id VARCHAR(36) NOT NULL,
  workspace_id VARCHAR(36) NOT NULL,
  CONSTRAINT pk_agent_config_versions PRIMARY KEY (agent_id, version),
  CONSTRAINT fk_agent_config_versions_agent_id FOREIGN KEY(agent_id) REFERENCES agents (id) ON DELETE CASCADE
);

CREATE INDEX ix_agent_config_versions_workspace_id ON agent_config_versions (workspace_id);

-- row-level security by workspace_id
CREATE TABLE agent_dependencies (
  agent_id VARCHAR(36) NOT NULL,
  depends_on_id VARCHAR(36) NOT NULL,
  account_id VARCHAR(36) NOT NULL,
  workspace_id VARCHAR(36) NOT NULL,
  CONSTRAINT pk_agent_dependencies PRIMARY KEY (agent_id, depends_on_id),
  CONSTRAINT fk_agent_dependencies_agent_id FOREIGN KEY(agent_id) REFERENCES agents (id) ON DELETE CASCADE,
  CONSTRAINT fk_agent_dependencies_depends_on_id FOREIGN KEY(depends_on_id) REFERENCES agents (id)
);

CREATE INDEX ix_agent_dependencies_depends_on_id ON agent_dependencies (depends_on_id);

CREATE INDEX ix_agent_dependencies_workspace_id ON agent_dependencies (workspace_id);

CREATE TABLE auth_sessions (
  id VARCHAR(36) NOT NULL,
  user_id VARCHAR(36) NOT NULL,
  method VARCHAR(60) NOT NULL,
  user_agent VARCHAR(300) NOT NULL,
  client_ip VARCHAR(64) NOT NULL,
  created_at TIMESTAMP WITH TIME ZONE NOT NULL,
  last_used_at TIMESTAMP WITH TIME ZONE NOT NULL,
  expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
  revoked_at TIMESTAMP WITH TIME ZONE,
  revoked_because VARCHAR(60),
  CONSTRAINT pk_auth_sessions PRIMARY KEY (id),
  CONSTRAINT fk_auth_sessions_user_id FOREIGN KEY(user_id) REFERENCES users (id) ON DELETE CASCADE
);

CREATE INDEX ix_auth_sessions_user_id ON auth_sessions (user_id);

-- row-level security by workspace_id
CREATE TABLE cluster_members (
  id VARCHAR(36) NOT NULL,
  cluster_id VARCHAR(36) NOT NULL,
  ordinal INTEGER NOT NULL,
  sample_id VARCHAR(36),
  trace_id VARCHAR(32),
  distance DOUBLE PRECISION NOT NULL,
  excerpt TEXT NOT NULL,
  rationale TEXT NOT NULL,
  account_id VARCHAR(36) NOT NULL,
  workspace_id VARCHAR(36) NOT NULL,
  CONSTRAINT pk_cluster_members PRIMARY KEY (id),
  CONSTRAINT fk_cluster_members_cluster_id FOREIGN KEY(cluster_id) REFERENCES failure_clusters (id) ON DELETE CASCADE
);

CREATE INDEX ix_cluster_members_cluster ON cluster_members (cluster_id, ordinal);

CREATE INDEX ix_cluster_members_workspace_id ON cluster_members (workspace_id);

CREATE TABLE device_codes (
  digest VARCHAR(64) NOT NULL,
  user_id VARCHAR(36) NOT NULL,
  created_at TIMESTAMP WITH TIME ZONE NOT NULL,
  expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
  used_at TIMESTAMP WITH TIME ZONE,
  CONSTRAINT pk_device_codes PRIMARY KEY (digest),
  CONSTRAINT fk_device_codes_user_id FOREIGN KEY(user_id) REFERENCES users (id) ON DELETE CASCADE
);

CREATE INDEX ix_device_codes_user_id ON device_codes (user_id);

CREATE TABLE devices (
  id VARCHAR(36) NOT NULL,
  user_id VARCHAR(36) NOT NULL,
  refresh_digest VARCHAR(64) NOT NULL,
  hostname VARCHAR(255) NOT NULL,
  username VARCHAR(255) NOT NULL,
  os VARCHAR(255) NOT NULL,
  os_version VARCHAR(255) NOT NULL,
  os_display_name VARCHAR(255) NOT NULL,
  architecture VARCHAR(255) NOT NULL,
  client VARCHAR(255) NOT NULL,
  client_version VARCHAR(255) NOT NULL,
  client_ip VARCHAR(64) NOT NULL,
  created_at TIMESTAMP WITH TIME ZONE NOT NULL,
  last_used_at TIMESTAMP WITH TIME ZONE NOT NULL,
  expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
  revoked_at TIMESTAMP WITH TIME ZONE,
  CONSTRAINT pk_devices PRIMARY KEY (id),
  CONSTRAINT fk_devices_user_id FOREIGN KEY(user_id) REFERENCES users (id) ON DELETE CASCADE,
  CONSTRAINT uq_devices_refresh_digest UNIQUE (refresh_digest)
);

CREATE INDEX ix_devices_user_id ON devices (user_id);

CREATE TABLE external_identities (
  provider VARCHAR(60) NOT NULL,
  subject VARCHAR(255) NOT NULL,
  user_id VARCHAR(36) NOT NULL,
  created_at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_external_identities PRIMARY KEY (provider, subject),
  CONSTRAINT fk_external_identities_user_id FOREIGN KEY(user_id) REFERENCES users (id) ON DELETE CASCADE
);

CREATE INDEX ix_external_identities_user_id ON external_identities (user_id);

-- row-level security by workspace_id
CREATE TABLE holdout_samples (
  version_id VARCHAR(36) NOT NULL,
  id VARCHAR(36) NOT NULL,
  ordinal INTEGER NOT NULL,
  input JSONB,
  reference JSONB,
  details JSONB NOT NULL,
  group_key VARCHAR(200),
  cohort VARCHAR(200) NOT NULL,
  source VARCHAR(20) NOT NULL,
  trace_id VARCHAR(32),
  content_hash VARCHAR(64) NOT NULL,
  created_at TIMESTAMP WITH TIME ZONE NOT NULL,
  updated_at TIMESTAMP WITH TIME ZONE NOT NULL,
  created_by VARCHAR(36) NOT NULL,
  account_id VARCHAR(36) NOT NULL,
  workspace_id VARCHAR(36) NOT NULL,
  CONSTRAINT pk_holdout_samples PRIMARY KEY (version_id, id),
  CONSTRAINT fk_holdout_samples_version_id FOREIGN KEY(version_id) REFERENCES sample_set_versions (id) ON DELETE CASCADE
);

CREATE INDEX ix_holdout_samples_version ON holdout_samples (version_id, ordinal);

CREATE INDEX ix_holdout_samples_workspace_id ON holdout_samples (workspace_id);

CREATE TABLE one_time_tokens (
  digest VARCHAR(64) NOT NULL,
  purpose VARCHAR(30) NOT NULL,
  user_id VARCHAR(36),
  created_at TIMESTAMP WITH TIME ZONE NOT NULL,
  expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
  used_at TIMESTAMP WITH TIME ZONE,
  CONSTRAINT pk_one_time_tokens PRIMARY KEY (digest),
  CONSTRAINT fk_one_time_tokens_user_id FOREIGN KEY(user_id) REFERENCES users (id) ON DELETE CASCADE
);

CREATE INDEX ix_one_time_tokens_user_id ON one_time_tokens (user_id);

CREATE TABLE personal_keys (
  id VARCHAR(36) NOT NULL,
  user_id VARCHAR(36) NOT NULL,
  name VARCHAR(100) NOT NULL,
  digest VARCHAR(64) NOT NULL,
  prefix VARCHAR(20) NOT NULL,
  can_write BOOLEAN NOT NULL,
  created_at TIMESTAMP WITH TIME ZONE NOT NULL,
  last_used_at TIMESTAMP WITH TIME ZONE,
  expires_at TIMESTAMP WITH TIME ZONE,
  revoked_at TIMESTAMP WITH TIME ZONE,
  CONSTRAINT pk_personal_keys PRIMARY KEY (id),
  CONSTRAINT fk_personal_keys_user_id FOREIGN KEY(user_id) REFERENCES users (id) ON DELETE CASCADE,
  CONSTRAINT uq_personal_keys_digest UNIQUE (digest)
);

CREATE INDEX ix_personal_keys_user_id ON personal_keys (user_id);

-- row-level security by workspace_id
CREATE TABLE samples (
  split VARCHAR(10) NOT NULL,
  version_id VARCHAR(36) NOT NULL,
  id VARCHAR(36) NOT NULL,
  ordinal INTEGER NOT NULL,
  input JSONB,
  reference JSONB,
  details JSONB NOT NULL,
  group_key VARCHAR(200),
  cohort VARCHAR(200) NOT NULL,
  source VARCHAR(20) NOT NULL,
  trace_id VARCHAR(32),
  content_hash VARCHAR(64) NOT NULL,
  created_at TIMESTAMP WITH TIME ZONE NOT NULL,
  updated_at TIMESTAMP WITH TIME ZONE NOT NULL,
  created_by VARCHAR(36) NOT NULL,
  account_id VARCHAR(36) NOT NULL,
  workspace_id VARCHAR(36) NOT NULL,
  CONSTRAINT pk_samples PRIMARY KEY (version_id, id),
  CONSTRAINT fk_samples_version_id FOREIGN KEY(version_id) REFERENCES sample_set_versions (id) ON DELETE CASCADE
);

CREATE INDEX ix_samples_version_split ON samples (version_id, split, ordinal);

CREATE INDEX ix_samples_workspace_id ON samples (workspace_id);

-- row-level security by workspace_id
CREATE TABLE session_documents (
  workspace_id VARCHAR(36) NOT NULL,
  session_id VARCHAR(36) NOT NULL,
  kind VARCHAR(12) NOT NULL,
  sha256 VARCHAR(64) NOT NULL,
  size BIGINT NOT NULL,
  body BYTEA NOT NULL,
  account_id VARCHAR(36) NOT NULL,
  CONSTRAINT pk_session_documents PRIMARY KEY (session_id, kind),
  CONSTRAINT fk_session_documents_session_id FOREIGN KEY(session_id) REFERENCES coding_sessions (id) ON DELETE CASCADE
);

-- row-level security by workspace_id
CREATE TABLE session_exchanges (
  id VARCHAR(36) NOT NULL,
  workspace_id VARCHAR(36) NOT NULL,
  session_id VARCHAR(36) NOT NULL,
  order_number INTEGER NOT NULL,
  key TEXT,
  started_at TIMESTAMP WITH TIME ZONE,
  ended_at TIMESTAMP WITH TIME ZONE,
  user_title TEXT,
  hidden_from_share BOOLEAN NOT NULL,
  has_error BOOLEAN NOT NULL,
  text_length INTEGER NOT NULL,
  text_sha256 VARCHAR(64) NOT NULL,
  body BYTEA NOT NULL,
  created_at TIMESTAMP WITH TIME ZONE NOT NULL,
  updated_at TIMESTAMP WITH TIME ZONE NOT NULL,
  account_id VARCHAR(36) NOT NULL,
  CONSTRAINT pk_session_exchanges PRIMARY KEY (id),
  CONSTRAINT fk_session_exchanges_session_id FOREIGN KEY(session_id) REFERENCES coding_sessions (id) ON DELETE CASCADE
);

CREATE INDEX ix_session_exchanges_order ON session_exchanges (session_id, order_number);

-- row-level security by workspace_id
CREATE TABLE session_usage (
  workspace_id VARCHAR(36) NOT NULL,
  session_id VARCHAR(36) NOT NULL,
  day VARCHAR(10) NOT NULL,
  model VARCHAR(200) NOT NULL,
  input_tokens BIGINT NOT NULL,
  output_tokens BIGINT NOT NULL,
  cache_read_tokens BIGINT NOT NULL,
  cache_write_tokens BIGINT NOT NULL,
  reasoning_tokens BIGINT NOT NULL,
  cost_usd DOUBLE PRECISION,
  account_id VARCHAR(36) NOT NULL,
  CONSTRAINT pk_session_usage PRIMARY KEY (session_id, day, model),
  CONSTRAINT fk_session_usage_session_id FOREIGN KEY(session_id) REFERENCES coding_sessions (id) ON DELETE CASCADE
);

-- row-level security by workspace_id
CREATE TABLE session_values (
  workspace_id VARCHAR(36) NOT NULL,
  session_id VARCHAR(36) NOT NULL,
  kind VARCHAR(8) NOT NULL,
  value VARCHAR(1000) NOT NULL,
  count INTEGER NOT NULL,
  errors INTEGER NOT NULL,
  account_id VARCHAR(36) NOT NULL,
  CONSTRAINT pk_session_values PRIMARY KEY (session_id, kind, value),
  CONSTRAINT fk_session_values_session_id FOREIGN KEY(session_id) REFERENCES coding_sessions (id) ON DELETE CASCADE
);

-- row-level security by workspace_id
CREATE TABLE agent_promotions (
  id VARCHAR(36) NOT NULL,
  agent_id VARCHAR(36) NOT NULL,
  version INTEGER NOT NULL,
  previous_version INTEGER,
  promoted_at TIMESTAMP WITH TIME ZONE NOT NULL,
  promoted_by VARCHAR(36),
  account_id VARCHAR(36) NOT NULL,
  workspace_id VARCHAR(36) NOT NULL,
  CONSTRAINT pk_agent_promotions PRIMARY KEY (id),
  CONSTRAINT fk_agent_promotions_agent_id_version FOREIGN KEY(agent_id, version) REFERENCES agent_config_versions (agent_id, version) ON DELETE CASCADE
);

CREATE INDEX ix_agent_promotions_agent ON agent_promotions (agent_id, id);

CREATE INDEX ix_agent_promotions_workspace_id ON agent_promotions (workspace_id);

CREATE TABLE device_tokens (
  digest VARCHAR(64) NOT NULL,
  device_id VARCHAR(36) NOT NULL,
  expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_device_tokens PRIMARY KEY (digest),
  CONSTRAINT fk_device_tokens_device_id FOREIGN KEY(device_id) REFERENCES devices (id) ON DELETE CASCADE
);

CREATE INDEX ix_device_tokens_device_id ON device_tokens (device_id);

-- row-level security by workspace_id
CREATE TABLE exchange_vectors (
  workspace_id VARCHAR(36) NOT NULL,
  exchange_id VARCHAR(36) NOT NULL,
  session_id VARCHAR(36) NOT NULL,
  row_key BIGINT NOT NULL,
  text_sha256 VARCHAR(64) NOT NULL,
  vector BYTEA NOT NULL,
  account_id VARCHAR(36) NOT NULL,
  CONSTRAINT pk_exchange_vectors PRIMARY KEY (exchange_id),
  CONSTRAINT fk_exchange_vectors_exchange_id FOREIGN KEY(exchange_id) REFERENCES session_exchanges (id) ON DELETE CASCADE
);

CREATE INDEX ix_exchange_vectors_session ON exchange_vectors (session_id);

-- row-level security by workspace_id
CREATE TABLE exchange_words (
  workspace_id VARCHAR(36) NOT NULL,
  exchange_id VARCHAR(36) NOT NULL,
  part INTEGER NOT NULL,
  part_count INTEGER NOT NULL,
  session_id VARCHAR(36) NOT NULL,
  row_key BIGINT NOT NULL,
  text_sha256 VARCHAR(64) NOT NULL,
  vector TSVECTOR NOT NULL,
  account_id VARCHAR(36) NOT NULL,
  CONSTRAINT pk_exchange_words PRIMARY KEY (exchange_id, part),
  CONSTRAINT fk_exchange_words_exchange_id FOREIGN KEY(exchange_id) REFERENCES session_exchanges (id) ON DELETE CASCADE
);

CREATE INDEX ix_exchange_words_session ON exchange_words (session_id);

CREATE INDEX ix_exchange_words_vector ON exchange_words USING gin (vector);

CREATE TABLE refresh_tokens (
  digest VARCHAR(64) NOT NULL,
  session_id VARCHAR(36) NOT NULL,
  created_at TIMESTAMP WITH TIME ZONE NOT NULL,
  expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
  used_at TIMESTAMP WITH TIME ZONE,
  CONSTRAINT pk_refresh_tokens PRIMARY KEY (digest),
  CONSTRAINT fk_refresh_tokens_session_id FOREIGN KEY(session_id) REFERENCES auth_sessions (id) ON DELETE CASCADE
);

CREATE INDEX ix_refresh_tokens_session_id ON refresh_tokens (session_id);
