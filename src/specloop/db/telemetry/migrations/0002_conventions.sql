-- More conventions, one shape (spectral.md §6.2): both GenAI generations, OpenInference, Langfuse, Traceloop, Pydantic AI
-- and Logfire, Vercel's `ai.*`, MLflow, LiveKit. The first name in each list that a span has wins. Everything that was
-- sent stays in the attribute maps; content (messages, inputs, outputs) is read from there and not stored twice.
ALTER TABLE spans
    MODIFY COLUMN attributes Map(LowCardinality(String), String) CODEC(ZSTD(2)),

    MODIFY COLUMN operation LowCardinality(String) MATERIALIZED multiIf(
        attributes['gen_ai.operation.name'] != '', attributes['gen_ai.operation.name'],
        attributes['openinference.span.kind'] != '', transform(
            upper(attributes['openinference.span.kind']),
            ['LLM', 'EMBEDDING', 'RETRIEVER', 'RERANKER', 'TOOL', 'AGENT', 'CHAIN', 'EVALUATOR'],
            ['chat', 'embeddings', 'retrieval', 'rerank', 'execute_tool', 'invoke_agent', 'invoke_workflow', 'evaluate'],
            lower(attributes['openinference.span.kind'])),
        attributes['langfuse.observation.type'] != '', transform(
            lower(attributes['langfuse.observation.type']),
            ['generation', 'embedding', 'retriever', 'tool', 'agent', 'chain', 'evaluator', 'span', 'event'],
            ['chat', 'embeddings', 'retrieval', 'execute_tool', 'invoke_agent', 'invoke_workflow', 'evaluate', '', ''],
            lower(attributes['langfuse.observation.type'])),
        attributes['mlflow.spanType'] != '', transform(
            upper(trim(BOTH '"' FROM attributes['mlflow.spanType'])),
            ['CHAT_MODEL', 'LLM', 'EMBEDDING', 'RETRIEVER', 'RERANKER', 'TOOL', 'AGENT', 'CHAIN', 'WORKFLOW', 'EVALUATOR', 'UNKNOWN'],
            ['chat', 'chat', 'embeddings', 'retrieval', 'rerank', 'execute_tool', 'invoke_agent', 'invoke_workflow', 'invoke_workflow', 'evaluate', ''],
            lower(trim(BOTH '"' FROM attributes['mlflow.spanType']))),
        attributes['ai.operationId'] != '', multiIf(
            attributes['ai.operationId'] = 'ai.toolCall', 'execute_tool',
            endsWith(attributes['ai.operationId'], '.doEmbed'), 'embeddings',
            match(attributes['ai.operationId'], '[.]do[A-Z]'), 'chat',
            startsWith(attributes['ai.operationId'], 'ai.embed'), 'invoke_workflow',
            'invoke_agent'),
        attributes['llm.request.type'] != '', transform(
            attributes['llm.request.type'], ['completion', 'embedding'], ['text_completion', 'embeddings'],
            attributes['llm.request.type']),
        attributes['traceloop.span.kind'] != '', transform(
            attributes['traceloop.span.kind'],
            ['tool', 'agent', 'workflow', 'task'], ['execute_tool', 'invoke_agent', 'invoke_workflow', 'invoke_workflow'],
            attributes['traceloop.span.kind']),
        attributes['gen_ai.tool.name'] != '' OR attributes['lk.function_tool.name'] != '', 'execute_tool',
        attributes['pydantic_ai.all_messages'] != '' OR attributes['all_messages_events'] != '', 'invoke_agent',
        attributes['gen_ai.request.model'] != '' OR attributes['llm.model_name'] != '', 'chat',
        ''),

    MODIFY COLUMN provider LowCardinality(String) MATERIALIZED arrayFirst(text -> text != '', [
        attributes['gen_ai.provider.name'], attributes['gen_ai.system'],
        attributes['llm.provider'], attributes['llm.system'],
        splitByChar('.', attributes['ai.model.provider'])[1]]),

    ADD COLUMN IF NOT EXISTS request_model LowCardinality(String) MATERIALIZED arrayFirst(text -> text != '', [
        attributes['gen_ai.request.model'], attributes['llm.request.model_name'], attributes['llm.model_name'],
        attributes['embedding.model_name'], attributes['reranker.model_name'],
        attributes['langfuse.observation.model.name'], attributes['ai.model.id'],
        trim(BOTH '"' FROM attributes['mlflow.llm.model'])]),
    ADD COLUMN IF NOT EXISTS response_model LowCardinality(String) MATERIALIZED arrayFirst(text -> text != '', [
        attributes['gen_ai.response.model'], attributes['llm.response.model_name'], attributes['ai.response.model']]),
    MODIFY COLUMN model LowCardinality(String) MATERIALIZED if(response_model != '', response_model, request_model),

    -- Langfuse counts what lies in a cache, and reasoning, beside `input` and `output`: here they are parts of the whole.
    -- The counts of OpenAI's form are the whole already.
    MODIFY COLUMN input_tokens Nullable(UInt64) MATERIALIZED coalesce(
        toUInt64OrNull(attributes['gen_ai.usage.input_tokens']),
        toUInt64OrNull(attributes['gen_ai.usage.prompt_tokens']),
        toUInt64OrNull(attributes['llm.token_count.prompt']),
        toUInt64OrNull(attributes['llm.usage.prompt_tokens']),
        toUInt64OrNull(attributes['ai.usage.inputTokens']),
        toUInt64OrNull(attributes['ai.usage.promptTokens']),
        toUInt64OrNull(attributes['ai.usage.tokens']),
        JSONExtract(attributes['langfuse.observation.usage_details'], 'prompt_tokens', 'Nullable(UInt64)'),
        if(attributes['langfuse.observation.usage_details'] = '', NULL, arrayReduce('sumOrNull', arrayMap(
            part -> part.2,
            arrayFilter(part -> startsWith(part.1, 'input') OR part.1 IN ('cache_read_input_tokens', 'cache_creation_input_tokens'),
                JSONExtractKeysAndValues(attributes['langfuse.observation.usage_details'], 'Nullable(UInt64)'))))),
        JSONExtract(attributes['mlflow.chat.tokenUsage'], 'input_tokens', 'Nullable(UInt64)')),
    MODIFY COLUMN output_tokens Nullable(UInt64) MATERIALIZED coalesce(
        toUInt64OrNull(attributes['gen_ai.usage.output_tokens']),
        toUInt64OrNull(attributes['gen_ai.usage.completion_tokens']),
        toUInt64OrNull(attributes['llm.token_count.completion']),
        toUInt64OrNull(attributes['llm.usage.completion_tokens']),
        toUInt64OrNull(attributes['ai.usage.outputTokens']),
        toUInt64OrNull(attributes['ai.usage.completionTokens']),
        JSONExtract(attributes['langfuse.observation.usage_details'], 'completion_tokens', 'Nullable(UInt64)'),
        if(attributes['langfuse.observation.usage_details'] = '', NULL, arrayReduce('sumOrNull', arrayMap(
            part -> part.2,
            arrayFilter(part -> startsWith(part.1, 'output'),
                JSONExtractKeysAndValues(attributes['langfuse.observation.usage_details'], 'Nullable(UInt64)'))))),
        JSONExtract(attributes['mlflow.chat.tokenUsage'], 'output_tokens', 'Nullable(UInt64)')),

    -- Parts of the two above, never to be added to them.
    ADD COLUMN IF NOT EXISTS cache_read_tokens Nullable(UInt64) MATERIALIZED coalesce(
        toUInt64OrNull(attributes['gen_ai.usage.cache_read.input_tokens']),
        toUInt64OrNull(attributes['gen_ai.usage.cache_read_input_tokens']),
        toUInt64OrNull(attributes['gen_ai.usage.details.cache_read_tokens']),
        toUInt64OrNull(attributes['gen_ai.usage.details.cache_read_input_tokens']),
        toUInt64OrNull(attributes['llm.token_count.prompt_details.cache_read']),
        toUInt64OrNull(attributes['ai.usage.cachedInputTokens']),
        if(attributes['langfuse.observation.usage_details'] = '', NULL, coalesce(
            JSONExtract(attributes['langfuse.observation.usage_details'], 'input_cache_read', 'Nullable(UInt64)'),
            JSONExtract(attributes['langfuse.observation.usage_details'], 'cache_read_input_tokens', 'Nullable(UInt64)'),
            JSONExtract(attributes['langfuse.observation.usage_details'], 'input_cached_tokens', 'Nullable(UInt64)'),
            JSONExtract(attributes['langfuse.observation.usage_details'], 'prompt_tokens_details', 'cached_tokens', 'Nullable(UInt64)')))),
    ADD COLUMN IF NOT EXISTS cache_write_tokens Nullable(UInt64) MATERIALIZED coalesce(
        toUInt64OrNull(attributes['gen_ai.usage.cache_creation.input_tokens']),
        toUInt64OrNull(attributes['gen_ai.usage.cache_creation_input_tokens']),
        toUInt64OrNull(attributes['gen_ai.usage.details.cache_write_tokens']),
        toUInt64OrNull(attributes['gen_ai.usage.details.cache_creation_input_tokens']),
        toUInt64OrNull(attributes['llm.token_count.prompt_details.cache_write']),
        if(attributes['langfuse.observation.usage_details'] = '', NULL, coalesce(
            JSONExtract(attributes['langfuse.observation.usage_details'], 'input_cache_creation', 'Nullable(UInt64)'),
            JSONExtract(attributes['langfuse.observation.usage_details'], 'cache_creation_input_tokens', 'Nullable(UInt64)')))),
    ADD COLUMN IF NOT EXISTS reasoning_tokens Nullable(UInt64) MATERIALIZED coalesce(
        toUInt64OrNull(attributes['gen_ai.usage.reasoning.output_tokens']),
        toUInt64OrNull(attributes['gen_ai.usage.reasoning_tokens']),
        toUInt64OrNull(attributes['gen_ai.usage.details.reasoning_tokens']),
        toUInt64OrNull(attributes['llm.token_count.completion_details.reasoning']),
        toUInt64OrNull(attributes['ai.usage.reasoningTokens']),
        if(attributes['langfuse.observation.usage_details'] = '', NULL, coalesce(
            JSONExtract(attributes['langfuse.observation.usage_details'], 'output_reasoning', 'Nullable(UInt64)'),
            JSONExtract(attributes['langfuse.observation.usage_details'], 'output_reasoning_tokens', 'Nullable(UInt64)'),
            JSONExtract(attributes['langfuse.observation.usage_details'], 'completion_tokens_details', 'reasoning_tokens', 'Nullable(UInt64)')))),

    -- What the sender says that it cost: the whole, or the sum of its parts. The sum goes through text, because one too
    -- large for the column must be no cost and not an insert that fails. A cost that nobody told comes from the price
    -- list when it is read.
    MODIFY COLUMN cost_usd Nullable(Decimal(18, 8)) MATERIALIZED coalesce(
        toDecimal64OrNull(attributes['gen_ai.usage.cost'], 8),
        toDecimal64OrNull(attributes['llm.cost.total'], 8),
        toDecimal64OrNull(attributes['operation.cost'], 8),
        toDecimal64OrNull(JSONExtractRaw(attributes['langfuse.observation.cost_details'], 'total'), 8),
        if(attributes['llm.cost.prompt'] = '' AND attributes['llm.cost.completion'] = '', NULL,
            toDecimal64OrNull(toString(arrayReduce('sumOrNull', [
                toDecimal64OrNull(attributes['llm.cost.prompt'], 8),
                toDecimal64OrNull(attributes['llm.cost.completion'], 8)])), 8)),
        if(attributes['langfuse.observation.cost_details'] = '', NULL,
            toDecimal64OrNull(toString(arrayReduce('sumOrNull', arrayMap(
                part -> toDecimal64OrNull(part.2, 8), JSONExtractKeysAndValuesRaw(attributes['langfuse.observation.cost_details'])))), 8))),

    MODIFY COLUMN agent_id LowCardinality(String) MATERIALIZED arrayFirst(text -> text != '', [
        attributes['gen_ai.agent.id'], attributes['agent.id']]),
    MODIFY COLUMN agent_name LowCardinality(String) MATERIALIZED arrayFirst(text -> text != '', [
        attributes['gen_ai.agent.name'], attributes['agent.name'], attributes['agent_name'],
        if(attributes['traceloop.span.kind'] = 'agent', attributes['traceloop.entity.name'], ''),
        if(operation IN ('invoke_agent', 'create_agent') AND startsWith(name, concat(operation, ' ')),
            trim(substring(name, length(operation) + 2)), ''),
        attributes['graph.node.name'], attributes['graph.node.id']]),
    MODIFY COLUMN session_id String MATERIALIZED arrayFirst(text -> text != '', [
        attributes['gen_ai.conversation.id'], attributes['session.id'], attributes['langfuse.session.id'],
        attributes['traceloop.association.properties.session_id'],
        trim(BOTH '"' FROM attributes['mlflow.trace.session']), attributes['ai.telemetry.metadata.sessionId']]),
    MODIFY COLUMN user_id String MATERIALIZED arrayFirst(text -> text != '', [
        attributes['user.id'], attributes['enduser.id'], attributes['langfuse.user.id'],
        attributes['traceloop.association.properties.user_id'],
        trim(BOTH '"' FROM attributes['mlflow.trace.user']), attributes['ai.telemetry.metadata.userId']]),
    MODIFY COLUMN tool_name LowCardinality(String) MATERIALIZED arrayFirst(text -> text != '', [
        attributes['gen_ai.tool.name'], attributes['tool.name'], attributes['tool_call.function.name'],
        attributes['ai.toolCall.name'], attributes['lk.function_tool.name'],
        if(attributes['traceloop.span.kind'] = 'tool', attributes['traceloop.entity.name'], '')]),
    ADD COLUMN IF NOT EXISTS tool_call_id String MATERIALIZED arrayFirst(text -> text != '', [
        attributes['gen_ai.tool.call.id'], attributes['tool_call.id'], attributes['ai.toolCall.id'],
        attributes['lk.function_tool.id']]),
    MODIFY COLUMN error_type LowCardinality(String) MATERIALIZED arrayFirst(text -> text != '', [
        attributes['error.type'], attributes['exception.type'],
        tupleElement(arrayFirst(event -> tupleElement(event, 'name') = 'exception', events), 'attributes')['exception.type']]),
    -- An array is protobuf: a field `0a <length> <value>` for each item, and of a text the value is `0a <length> <text>`.
    -- A length has seven bits a byte, and a second byte if the first has its high bit; a third would lie beyond the
    -- 16 KiB that are looked at. Each step of the fold takes one value off the front. What was cut short is no tag.
    MODIFY COLUMN tags Array(String) MATERIALIZED arrayDistinct(arrayFilter(
        tag -> tag != '' AND isValidUTF8(tag),
        arrayFlatten(arrayMap(
            key -> if(attribute_types[indexOf(mapKeys(attributes), key)] = 'array',
                arrayMap(
                    value -> substring(value, 3 + bitTest(reinterpretAsUInt16(substring(value, 2, 2)), 7)),
                    arrayFilter(
                        value -> startsWith(value, '\n'),
                        tupleElement(arrayFold(
                            (state, step) -> arrayMap(
                                (start, size) -> (
                                    substring(state.1, start + size),
                                    if(start + size <= length(state.1) + 1,
                                        arrayPushBack(state.2, substring(state.1, start, size)), state.2)),
                                arrayMap(word -> 3 + bitTest(word, 7),
                                    [reinterpretAsUInt16(substring(state.1, 2, 2))]),
                                arrayMap(word -> word % 128 + bitTest(word, 7) * intDiv(word, 256) * 128,
                                    [reinterpretAsUInt16(substring(state.1, 2, 2))]))[1],
                            range(least(128, countSubstrings(tryBase64Decode(attributes[key]), '\n'))),
                            (substring(tryBase64Decode(attributes[key]), 1, 16384), []::Array(String))), 2))),
                JSONExtract(attributes[key], 'Array(String)')),
            arrayFilter(key -> key IN ('tag.tags', 'langfuse.trace.tags', 'langfuse.tags', 'logfire.tags'),
                mapKeys(attributes)))))),

    -- Scores that instrumentation reports beside or after a call, those with a name; the read side makes annotations of
    -- them (`evaluations.py` reads the same keys).
    ADD COLUMN IF NOT EXISTS scores Array(Float64) MATERIALIZED arrayConcat(
        arrayFilter(score -> isFinite(score), arrayMap(
            event -> toFloat64OrNull(tupleElement(event, 'attributes')['gen_ai.evaluation.score.value']),
            arrayFilter(event -> tupleElement(event, 'name') = 'gen_ai.evaluation.result'
                AND tupleElement(event, 'attributes')['gen_ai.evaluation.name'] != '', events)))::Array(Float64),
        arrayFilter(score -> isFinite(score), if(attributes['gen_ai.evaluation.name'] = '', [],
            [toFloat64OrNull(attributes['gen_ai.evaluation.score.value'])]))::Array(Float64),
        arrayFilter(score -> isFinite(score), arrayMap(
            key -> toFloat64OrNull(attributes[key]),
            arrayFilter(
                key -> match(key, '^(trace[.]|session[.])?(evaluations|annotations)[.][0-9]+([.](evaluation|annotation))?[.]score$')
                    AND arrayExists(
                        name -> attributes[concat(replaceRegexpOne(key, '([.](evaluation|annotation))?[.]score$', ''), name)] != '',
                        ['.name', '.evaluation.name', '.annotation.name']),
                arrayFilter(key -> endsWith(key, '.score'), mapKeys(attributes)))))::Array(Float64)),

    -- Every word of a span. Merges build the index, inserts do not: a part that was just written is small enough to be
    -- read. A merge writes every row and its words again, which costs half as much as taking it in, so merges take
    -- several parts at once. All this is one statement, because each one checks every expression anew.
    ADD COLUMN IF NOT EXISTS content String ALIAS lower(concat(name, ' ', status_message, ' ',
        arrayStringConcat(arrayMap((text, kind) -> if(kind = 'array' OR kind = 'kvlist', base64Decode(text), text),
            mapValues(attributes), attribute_types), ' '), ' ',
        arrayStringConcat(arrayMap(event -> concat(tupleElement(event, 'name'), ' ',
            arrayStringConcat(mapValues(tupleElement(event, 'attributes')), ' ')), events), ' '))),
    ADD INDEX IF NOT EXISTS words content TYPE text(tokenizer = 'splitByNonAlpha', posting_list_codec = 'bitpacking'),
    -- Building it may keep so much in memory before it goes on in a file: by default that is a gigabyte.
    MODIFY SETTING min_parts_to_merge_at_once = 4, text_index_max_memory_usage_before_flush = 67108864;

-- Deleted traces stay deleted when a sender delivers them again: inserts leave them out.
CREATE TABLE IF NOT EXISTS deleted_traces (
    workspace_id UUID,
    trace_id FixedString(16),
    deleted_at DateTime64(6, 'UTC') DEFAULT now64(6, 'UTC')
)
ENGINE = ReplacingMergeTree(deleted_at)
ORDER BY (workspace_id, trace_id)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

ALTER TABLE traces ADD COLUMN IF NOT EXISTS score_min SimpleAggregateFunction(min, Nullable(Float64));

DROP VIEW IF EXISTS traces_from_spans;

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
    max(s.received_at) AS received_at,
    min(if(empty(s.scores), NULL, arrayMin(s.scores))) AS score_min
FROM spans AS s
GROUP BY s.workspace_id, s.trace_id;
