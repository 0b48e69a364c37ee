-- Spans as they were received, one row per delivery. Re-delivery adds a row with the same key; reads keep the last
-- version per (workspace, trace, span) by end time, and merges drop the others in their own time.
-- An attribute map holds text; the array beside it holds the OTLP type of each entry in the same order, so that nothing
-- is lost: numbers and booleans as text, arrays, kvlists and bytes as base64 of their protobuf.
CREATE TABLE IF NOT EXISTS spans (
    workspace_id UUID,
    trace_id FixedString(16),
    span_id FixedString(8),
    parent_span_id FixedString(8),
    trace_state String CODEC(ZSTD(1)),
    flags UInt32 CODEC(T64, ZSTD(1)),
    name String CODEC(ZSTD(1)),
    kind Int8,
    start_ns UInt64 CODEC(Delta(8), ZSTD(1)),
    end_ns UInt64 CODEC(Delta(8), ZSTD(1)),
    status_code Int8,
    status_message String CODEC(ZSTD(1)),
    service_name LowCardinality(String),
    scope_name LowCardinality(String),
    scope_version LowCardinality(String),
    attributes Map(LowCardinality(String), String) CODEC(ZSTD(1)),
    attribute_types Array(Enum8('none' = 0, 'string' = 1, 'bool' = 2, 'int' = 3, 'double' = 4, 'array' = 5, 'kvlist' = 6, 'bytes' = 7)) CODEC(ZSTD(1)),
    resource_attributes Map(LowCardinality(String), String) CODEC(ZSTD(1)),
    resource_attribute_types Array(Enum8('none' = 0, 'string' = 1, 'bool' = 2, 'int' = 3, 'double' = 4, 'array' = 5, 'kvlist' = 6, 'bytes' = 7)) CODEC(ZSTD(1)),
    scope_attributes Map(LowCardinality(String), String) CODEC(ZSTD(1)),
    scope_attribute_types Array(Enum8('none' = 0, 'string' = 1, 'bool' = 2, 'int' = 3, 'double' = 4, 'array' = 5, 'kvlist' = 6, 'bytes' = 7)) CODEC(ZSTD(1)),
    events Array(Tuple(
        time_ns UInt64,
        name String,
        attributes Map(LowCardinality(String), String),
        attribute_types Array(Enum8('none' = 0, 'string' = 1, 'bool' = 2, 'int' = 3, 'double' = 4, 'array' = 5, 'kvlist' = 6, 'bytes' = 7)),
        dropped_attributes UInt32)) CODEC(ZSTD(1)),
    links Array(Tuple(
        trace_id FixedString(16),
        span_id FixedString(8),
        trace_state String,
        attributes Map(LowCardinality(String), String),
        attribute_types Array(Enum8('none' = 0, 'string' = 1, 'bool' = 2, 'int' = 3, 'double' = 4, 'array' = 5, 'kvlist' = 6, 'bytes' = 7)),
        dropped_attributes UInt32)) CODEC(ZSTD(1)),
    dropped_attributes UInt32 CODEC(T64, ZSTD(1)),
    dropped_events UInt32 CODEC(T64, ZSTD(1)),
    dropped_links UInt32 CODEC(T64, ZSTD(1)),
    received_at DateTime64(6, 'UTC') CODEC(Delta(8), ZSTD(1)),

    -- What the GenAI conventions say, whichever generation the sender speaks (spectral.md §6.2).
    operation LowCardinality(String) MATERIALIZED multiIf(
        attributes['gen_ai.operation.name'] != '', attributes['gen_ai.operation.name'],
        attributes['openinference.span.kind'] != '', transform(
            upper(attributes['openinference.span.kind']),
            ['LLM', 'EMBEDDING', 'RETRIEVER', 'TOOL', 'AGENT', 'CHAIN'],
            ['chat', 'embeddings', 'retrieval', 'execute_tool', 'invoke_agent', 'invoke_workflow'],
            lower(attributes['openinference.span.kind'])),
        attributes['llm.request.type']),
    provider LowCardinality(String) MATERIALIZED multiIf(
        attributes['gen_ai.provider.name'] != '', attributes['gen_ai.provider.name'],
        attributes['gen_ai.system'] != '', attributes['gen_ai.system'],
        attributes['llm.provider'] != '', attributes['llm.provider'],
        attributes['llm.system']),
    model LowCardinality(String) MATERIALIZED multiIf(
        attributes['gen_ai.response.model'] != '', attributes['gen_ai.response.model'],
        attributes['gen_ai.request.model'] != '', attributes['gen_ai.request.model'],
        attributes['llm.response.model_name'] != '', attributes['llm.response.model_name'],
        attributes['llm.model_name'] != '', attributes['llm.model_name'],
        attributes['llm.request.model_name'] != '', attributes['llm.request.model_name'],
        attributes['embedding.model_name']),
    input_tokens Nullable(UInt64) MATERIALIZED coalesce(
        toUInt64OrNull(attributes['gen_ai.usage.input_tokens']),
        toUInt64OrNull(attributes['gen_ai.usage.prompt_tokens']),
        toUInt64OrNull(attributes['llm.token_count.prompt'])),
    output_tokens Nullable(UInt64) MATERIALIZED coalesce(
        toUInt64OrNull(attributes['gen_ai.usage.output_tokens']),
        toUInt64OrNull(attributes['gen_ai.usage.completion_tokens']),
        toUInt64OrNull(attributes['llm.token_count.completion'])),
    agent_id LowCardinality(String) MATERIALIZED attributes['gen_ai.agent.id'],
    agent_name LowCardinality(String) MATERIALIZED multiIf(
        attributes['gen_ai.agent.name'] != '', attributes['gen_ai.agent.name'],
        attributes['agent.name']),
    session_id String MATERIALIZED multiIf(
        attributes['gen_ai.conversation.id'] != '', attributes['gen_ai.conversation.id'],
        attributes['session.id']),
    user_id String MATERIALIZED attributes['user.id'],
    tool_name LowCardinality(String) MATERIALIZED multiIf(
        attributes['gen_ai.tool.name'] != '', attributes['gen_ai.tool.name'],
        attributes['tool.name']),
    error_type LowCardinality(String) MATERIALIZED attributes['error.type'],
    cost_usd Nullable(Decimal(18, 8)) MATERIALIZED coalesce(
        toDecimal64OrNull(attributes['gen_ai.usage.cost'], 8),
        toDecimal64OrNull(attributes['llm.cost.total'], 8)),
    tags Array(String) MATERIALIZED JSONExtract(attributes['tag.tags'], 'Array(String)'),

    -- A sender may repeat a field that must be there once. Protobuf counts the last one, the engine's parser leaves it
    -- empty. What was validated must be what is stored, so such a body stops its insert and comes again in canonical form.
    CONSTRAINT is_canonical CHECK
        trace_id != toFixedString('', 16) AND span_id != toFixedString('', 8) AND end_ns >= start_ns
)
ENGINE = ReplacingMergeTree(end_ns)
PARTITION BY toYYYYMM(fromUnixTimestamp64Nano(toInt64(start_ns), 'UTC'))
ORDER BY (workspace_id, intDiv(start_ns, 3600000000000), trace_id, span_id)
-- Small granules: who reads one trace unpacks one granule of each part, and attributes are kilobytes a row.
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, min_bytes_for_wide_part = 67108864,
    index_granularity = 1024, index_granularity_bytes = 2097152;

-- One row per trace and insert; every aggregate here gives the same answer when a span is delivered twice.
-- Counts and sums do not, so those are taken from `spans` when a trace is read.
CREATE TABLE IF NOT EXISTS traces (
    workspace_id UUID,
    trace_id FixedString(16),
    start_ns SimpleAggregateFunction(min, UInt64),
    end_ns SimpleAggregateFunction(max, UInt64),
    root AggregateFunction(argMin, Tuple(String, FixedString(8)), Tuple(UInt8, UInt64)),
    has_error SimpleAggregateFunction(max, UInt8),
    service_names SimpleAggregateFunction(groupUniqArrayArray, Array(String)),
    agent_ids SimpleAggregateFunction(groupUniqArrayArray, Array(String)),
    agent_names SimpleAggregateFunction(groupUniqArrayArray, Array(String)),
    models SimpleAggregateFunction(groupUniqArrayArray, Array(String)),
    session_ids SimpleAggregateFunction(groupUniqArrayArray, Array(String)),
    user_ids SimpleAggregateFunction(groupUniqArrayArray, Array(String)),
    tags SimpleAggregateFunction(groupUniqArrayArray, Array(String)),
    received_at SimpleAggregateFunction(max, DateTime64(6, 'UTC'))
)
ENGINE = AggregatingMergeTree
ORDER BY (workspace_id, trace_id)
-- A page of a list picks out a few dozen rows by their ids, which lie anywhere.
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, index_granularity = 128;

CREATE MATERIALIZED VIEW IF NOT EXISTS traces_from_spans TO traces AS
SELECT
    s.workspace_id AS workspace_id,
    s.trace_id AS trace_id,
    min(s.start_ns) AS start_ns,
    max(s.end_ns) AS end_ns,
    argMinState((s.name, s.span_id), (toUInt8(s.parent_span_id != toFixedString('', 8)), s.start_ns)) AS root,
    max(toUInt8(s.status_code = 2)) AS has_error,
    groupUniqArrayIf(toString(s.service_name), s.service_name != '') AS service_names,
    groupUniqArrayIf(toString(s.agent_id), s.agent_id != '') AS agent_ids,
    groupUniqArrayIf(toString(s.agent_name), s.agent_name != '') AS agent_names,
    groupUniqArrayIf(toString(s.model), s.model != '') AS models,
    groupUniqArrayIf(s.session_id, s.session_id != '') AS session_ids,
    groupUniqArrayIf(s.user_id, s.user_id != '') AS user_ids,
    groupUniqArrayArray(s.tags) AS tags,
    max(s.received_at) AS received_at
FROM spans AS s
GROUP BY s.workspace_id, s.trace_id;
