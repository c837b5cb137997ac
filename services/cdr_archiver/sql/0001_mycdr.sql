-- mycdr: one row per finished leg, for ever. Every state of a leg that was published is a row; the one with the
-- highest `ver` is the leg, and FINAL shows only that. Sort and partition columns are fixed at the leg's birth:
-- a correction would otherwise land beside the row it replaces, not on it.
-- Names of the first part are astercc's; each rounded number has an exact one in the second part.
-- Reading: FROM cdr (a row a leg) or FROM calls (a row a call), always with a range of `calldate`.

CREATE TABLE IF NOT EXISTS mycdr (
  pbx LowCardinality(String) COMMENT 'PBX, as named in the fleet file',
  leg_id UInt64 CODEC(Delta, ZSTD(1)) COMMENT 'Grows per PBX, unique in the fleet; same id in MySQL curcdr',
  kind LowCardinality(String) COMMENT 'dial: a phone was called; caller: nobody was rung; bridge: two were connected',
  calldate DateTime64(6, 'UTC') CODEC(Delta, ZSTD(1)) COMMENT 'Start of the leg (else its birth, else from leg_id); fixed at birth',
  src String CODEC(ZSTD(1)) COMMENT 'Who called: number of the caller at birth; empty if withheld or originated',
  dst String CODEC(ZSTD(1)) COMMENT 'Who was called: the number that was dialled',
  srcname String CODEC(ZSTD(1)) COMMENT 'Name of the caller at birth',
  channel String CODEC(ZSTD(1)) COMMENT 'Calling channel (curcdr.srcchan)',
  dstchannel String CODEC(ZSTD(1)) COMMENT 'Called channel (curcdr.dstchan); empty for kind caller',
  didnumber LowCardinality(String) COMMENT 'Number that was called from outside',
  duration UInt32 CODEC(T64, ZSTD(1)) COMMENT 'duration_exact in whole seconds, rounded; at least 1 if not 0',
  billsec UInt32 CODEC(T64, ZSTD(1)) COMMENT 'billsec_exact in whole seconds, rounded; at least 1 if not 0',
  billsec_leg_a UInt32 CODEC(T64, ZSTD(1)) COMMENT 'billsec_leg_a_exact in whole seconds, rounded; at least 1 if not 0',
  disposition LowCardinality(String) COMMENT 'ANSWERED, NO ANSWER, BUSY or FAILED',
  accountcode LowCardinality(String) COMMENT 'Account code',
  srcuid String CODEC(ZSTD(1)) COMMENT 'Uniqueid of the calling channel',
  dstuid String CODEC(ZSTD(1)) COMMENT 'Uniqueid of the called channel',
  queue LowCardinality(String) COMMENT 'Queue of the caller when the leg was born',
  dialstring String CODEC(ZSTD(1)) COMMENT 'What Dial() was told to call, without technology',
  dialstatus LowCardinality(String) COMMENT 'DIALSTATUS as Asterisk said it',
  hangupcause Nullable(Int32) CODEC(ZSTD(1)) COMMENT 'Q.850 cause of the hangup; NULL if none was seen',
  hangupcausetxt LowCardinality(String) COMMENT 'The cause in words',

  born Nullable(DateTime64(6, 'UTC')) CODEC(Delta, ZSTD(1)) COMMENT 'Birth of the row: earlier than start if the caller was in the dialplan first',
  start Nullable(DateTime64(6, 'UTC')) CODEC(Delta, ZSTD(1)) COMMENT 'DialBegin; for kind caller its birth, for kind bridge the bridging',
  ring Nullable(DateTime64(6, 'UTC')) CODEC(Delta, ZSTD(1)) COMMENT 'When the phone said that it rings; NULL if it never did',
  answer Nullable(DateTime64(6, 'UTC')) CODEC(Delta, ZSTD(1)) COMMENT 'First moment together with anybody; NULL if never',
  src_up Nullable(DateTime64(6, 'UTC')) CODEC(Delta, ZSTD(1)) COMMENT 'When the calling channel itself was answered, by an IVR too',
  end Nullable(DateTime64(6, 'UTC')) CODEC(Delta, ZSTD(1)) COMMENT 'Hangup of the called channel (kind caller: of the caller)',
  end_reason LowCardinality(String) COMMENT 'hangup, or why we think so: snapshot, pbx_restart, pbx_lost, removed',
  end_exact Bool COMMENT 'false: the end is an estimate',
  answered Bool COMMENT 'The called channel was together with somebody',
  duration_exact Float64 CODEC(ZSTD(1)) COMMENT 'Seconds from start to end; 0 if either is unknown',
  billsec_exact Float64 CODEC(ZSTD(1)) COMMENT 'Seconds of talk credited to this leg; never counted on two legs',
  billsec_leg_a_exact Float64 CODEC(ZSTD(1)) COMMENT 'Seconds from src_up to end',
  ring_seconds Float64 CODEC(ZSTD(1)) COMMENT 'Seconds from start to answer, or to end if unanswered; 0 for kind caller',
  dialled String CODEC(ZSTD(1)) COMMENT 'First number the calling channel dialled; empty for an originated first leg',
  exten String CODEC(ZSTD(1)) COMMENT 'Extension in the dialplan that rang this phone; empty for pickup and originate',
  srcdevice LowCardinality(String) COMMENT 'Device of the calling channel, e.g. 201 of PJSIP/201-0000000a',
  dstdevice LowCardinality(String) COMMENT 'Device of the called channel',
  linkedid String CODEC(ZSTD(1)) COMMENT 'Final linkedid: the same for all legs of a call',
  linkedid_first String CODEC(ZSTD(1)) COMMENT 'linkedid at birth, before transfers joined calls',
  peer_num String CODEC(ZSTD(1)) COMMENT 'Last partner that was neither caller nor called (attended transfer): number',
  peer_name String CODEC(ZSTD(1)) COMMENT 'The same: name',
  peer_chan String CODEC(ZSTD(1)) COMMENT 'The same: channel',
  peer_uid String CODEC(ZSTD(1)) COMMENT 'The same: uniqueid',
  peer_device LowCardinality(String) COMMENT 'The same: device',
  talks Array(Tuple(start DateTime64(6, 'UTC'), end Nullable(DateTime64(6, 'UTC')), devices Array(String))) CODEC(ZSTD(1)) COMMENT 'When the called channel talked with the same others, and with whom',
  held Array(Tuple(holder String, start DateTime64(6, 'UTC'), end Nullable(DateTime64(6, 'UTC')))) CODEC(ZSTD(1)) COMMENT 'Who put the other on hold, and when',
  flags Map(LowCardinality(String), String) CODEC(ZSTD(1)) COMMENT 'What was special: flag to its value, 1 where it has none; absent if not so',
  boot Nullable(UInt32) CODEC(ZSTD(1)) COMMENT 'Start of that Asterisk process, Unix seconds',
  rule LowCardinality(String) COMMENT 'Rule of the fold that made this state (legbook explain)',
  ver UInt64 CODEC(Delta, ZSTD(1)) COMMENT 'epoch << 32 | seq of the entry that made this state; the highest is the leg',
  is_deleted UInt8 CODEC(ZSTD(1)) COMMENT '1: this leg is to be forgotten; set by hand only',

  INDEX ib_src src TYPE bloom_filter(0.01) GRANULARITY 1,
  INDEX ib_dst dst TYPE bloom_filter(0.01) GRANULARITY 1,
  INDEX ib_uid (srcuid, dstuid, linkedid) TYPE bloom_filter(0.01) GRANULARITY 1
) ENGINE = ReplacingMergeTree(ver, is_deleted)
PARTITION BY toYYYYMM(calldate)
ORDER BY (pbx, toDate(calldate), leg_id)
SETTINGS non_replicated_deduplication_window = 0
COMMENT 'Finished legs, every published state; read the views cdr and calls instead';

-- Each leg once, as it is now. Same columns; partitions are read on their own, because no leg is in two.

CREATE OR REPLACE VIEW cdr (
  pbx LowCardinality(String) COMMENT 'PBX, as named in the fleet file',
  leg_id UInt64 COMMENT 'Grows per PBX, unique in the fleet; same id in MySQL curcdr',
  kind LowCardinality(String) COMMENT 'dial: a phone was called; caller: nobody was rung; bridge: two were connected',
  calldate DateTime64(6, 'UTC') COMMENT 'Start of the leg (else its birth, else from leg_id); fixed at birth',
  src String COMMENT 'Who called: number of the caller at birth; empty if withheld or originated',
  dst String COMMENT 'Who was called: the number that was dialled',
  srcname String COMMENT 'Name of the caller at birth',
  channel String COMMENT 'Calling channel (curcdr.srcchan)',
  dstchannel String COMMENT 'Called channel (curcdr.dstchan); empty for kind caller',
  didnumber LowCardinality(String) COMMENT 'Number that was called from outside',
  duration UInt32 COMMENT 'duration_exact in whole seconds, rounded; at least 1 if not 0',
  billsec UInt32 COMMENT 'billsec_exact in whole seconds, rounded; at least 1 if not 0',
  billsec_leg_a UInt32 COMMENT 'billsec_leg_a_exact in whole seconds, rounded; at least 1 if not 0',
  disposition LowCardinality(String) COMMENT 'ANSWERED, NO ANSWER, BUSY or FAILED',
  accountcode LowCardinality(String) COMMENT 'Account code',
  srcuid String COMMENT 'Uniqueid of the calling channel',
  dstuid String COMMENT 'Uniqueid of the called channel',
  queue LowCardinality(String) COMMENT 'Queue of the caller when the leg was born',
  dialstring String COMMENT 'What Dial() was told to call, without technology',
  dialstatus LowCardinality(String) COMMENT 'DIALSTATUS as Asterisk said it',
  hangupcause Nullable(Int32) COMMENT 'Q.850 cause of the hangup; NULL if none was seen',
  hangupcausetxt LowCardinality(String) COMMENT 'The cause in words',
  born Nullable(DateTime64(6, 'UTC')) COMMENT 'Birth of the row: earlier than start if the caller was in the dialplan first',
  start Nullable(DateTime64(6, 'UTC')) COMMENT 'DialBegin; for kind caller its birth, for kind bridge the bridging',
  ring Nullable(DateTime64(6, 'UTC')) COMMENT 'When the phone said that it rings; NULL if it never did',
  answer Nullable(DateTime64(6, 'UTC')) COMMENT 'First moment together with anybody; NULL if never',
  src_up Nullable(DateTime64(6, 'UTC')) COMMENT 'When the calling channel itself was answered, by an IVR too',
  end Nullable(DateTime64(6, 'UTC')) COMMENT 'Hangup of the called channel (kind caller: of the caller)',
  end_reason LowCardinality(String) COMMENT 'hangup, or why we think so: snapshot, pbx_restart, pbx_lost, removed',
  end_exact Bool COMMENT 'false: the end is an estimate',
  answered Bool COMMENT 'The called channel was together with somebody',
  duration_exact Float64 COMMENT 'Seconds from start to end; 0 if either is unknown',
  billsec_exact Float64 COMMENT 'Seconds of talk credited to this leg; never counted on two legs',
  billsec_leg_a_exact Float64 COMMENT 'Seconds from src_up to end',
  ring_seconds Float64 COMMENT 'Seconds from start to answer, or to end if unanswered; 0 for kind caller',
  dialled String COMMENT 'First number the calling channel dialled; empty for an originated first leg',
  exten String COMMENT 'Extension in the dialplan that rang this phone; empty for pickup and originate',
  srcdevice LowCardinality(String) COMMENT 'Device of the calling channel, e.g. 201 of PJSIP/201-0000000a',
  dstdevice LowCardinality(String) COMMENT 'Device of the called channel',
  linkedid String COMMENT 'Final linkedid: the same for all legs of a call',
  linkedid_first String COMMENT 'linkedid at birth, before transfers joined calls',
  peer_num String COMMENT 'Last partner that was neither caller nor called (attended transfer): number',
  peer_name String COMMENT 'The same: name',
  peer_chan String COMMENT 'The same: channel',
  peer_uid String COMMENT 'The same: uniqueid',
  peer_device LowCardinality(String) COMMENT 'The same: device',
  talks Array(Tuple(start DateTime64(6, 'UTC'), end Nullable(DateTime64(6, 'UTC')), devices Array(String))) COMMENT 'When the called channel talked with the same others, and with whom',
  held Array(Tuple(holder String, start DateTime64(6, 'UTC'), end Nullable(DateTime64(6, 'UTC')))) COMMENT 'Who put the other on hold, and when',
  flags Map(LowCardinality(String), String) COMMENT 'What was special: flag to its value, 1 where it has none; absent if not so',
  boot Nullable(UInt32) COMMENT 'Start of that Asterisk process, Unix seconds',
  rule LowCardinality(String) COMMENT 'Rule of the fold that made this state (legbook explain)',
  ver UInt64 COMMENT 'epoch << 32 | seq of the entry that made this state; the highest is the leg'
) AS
SELECT * EXCEPT (is_deleted)
FROM mycdr FINAL
SETTINGS do_not_merge_across_partitions_select_final = 1
COMMENT 'Finished legs, a row a leg';

-- A call is what Asterisk linked: the legs with one final linkedid. A ring group of three phones is three legs and
-- one call. Legs that spy are no part of it. A leg without linkedid is a call of its own.

CREATE OR REPLACE VIEW calls (
  pbx LowCardinality(String) COMMENT 'PBX, as named in the fleet file',
  linkedid String COMMENT 'What holds the legs of the call together; a leg_id if Asterisk gave none',
  started DateTime64(6, 'UTC') COMMENT 'Birth of the first leg',
  answered_at Nullable(DateTime64(6, 'UTC')) COMMENT 'First answer of a phone; NULL if none answered',
  ended Nullable(DateTime64(6, 'UTC')) COMMENT 'End of the last leg',
  src String COMMENT 'Who called: of the first leg',
  srcname String COMMENT 'Name of the caller: of the first leg',
  srcdevice LowCardinality(String) COMMENT 'Device of the caller: of the first leg',
  dst String COMMENT 'Number that was called: of the first leg',
  didnumber LowCardinality(String) COMMENT 'Number that was called from outside: of the first leg that has one',
  queue LowCardinality(String) COMMENT 'Queue: of the first leg that has one',
  answered Bool COMMENT 'A phone was answered, or anybody talked',
  answered_by LowCardinality(String) COMMENT 'Device that answered first; empty if none did',
  disposition LowCardinality(String) COMMENT 'ANSWERED; else NO ANSWER, BUSY, FAILED: the first that a leg has; self_service: of its legs',
  ring_seconds Float64 COMMENT 'From the first phone called to the first answer, or to the end if unanswered',
  talk_seconds Float64 COMMENT 'Seconds of talk: sum of billsec_exact of its legs',
  duration_seconds Float64 COMMENT 'From started to ended',
  phones_rung UInt64 COMMENT 'Different phones or outside numbers that were called',
  legs UInt64 COMMENT 'Its rows in cdr, without spies',
  self_service Bool COMMENT 'No phone was ever called: IVR, voicemail, echo test, feature code',
  end_exact Bool COMMENT 'false: the end of a leg is an estimate'
) AS
SELECT
  pbx,
  call AS linkedid,
  call_start AS started,
  first_answer AS answered_at,
  last_end AS ended,
  first_leg.1 AS src,
  first_leg.2 AS srcname,
  first_leg.3 AS srcdevice,
  first_leg.4 AS dst,
  first_did AS didnumber,
  first_queue AS queue,
  any_answer AS answered,
  first_answerer AS answered_by,
  multiIf(
    any_answer OR (phone_legs = 0 AND has(outcomes, 'ANSWERED')), 'ANSWERED',
    has(outcomes, 'NO ANSWER'), 'NO ANSWER',
    has(outcomes, 'BUSY'), 'BUSY',
    'FAILED'
  ) AS disposition,
  if(
    phone_legs = 0, 0,
    greatest(0, dateDiff('microsecond', first_dial, coalesce(first_answer, last_phone_end, first_dial)) / 1e6)
  ) AS ring_seconds,
  talked AS talk_seconds,
  greatest(0, dateDiff('microsecond', call_start, coalesce(last_end, call_start)) / 1e6) AS duration_seconds,
  phones AS phones_rung,
  all_legs AS legs,
  phone_legs = 0 AS self_service,
  all_exact AS end_exact
FROM (
  SELECT
    pbx,
    if(linkedid = '', toString(leg_id), linkedid) AS call,
    min(least(coalesce(born, calldate), calldate)) AS call_start,
    min(answer) AS first_answer,
    max(end) AS last_end,
    minIf(calldate, kind != 'caller') AS first_dial,
    maxIf(end, kind != 'caller') AS last_phone_end,
    argMin((src, srcname, srcdevice, dst), (calldate, leg_id)) AS first_leg,
    argMinIf(didnumber, (calldate, leg_id), didnumber != '') AS first_did,
    argMinIf(queue, (calldate, leg_id), queue != '') AS first_queue,
    max(answered OR notEmpty(talks)) AS any_answer,
    argMinIf(dstdevice, (answer, leg_id), isNotNull(answer)) AS first_answerer,
    groupUniqArray(disposition) AS outcomes,
    sum(billsec_exact) AS talked,
    uniqExactIf((dstdevice, dialstring), kind != 'caller') AS phones,
    countIf(kind != 'caller') AS phone_legs,
    count() AS all_legs,
    min(end_exact) AS all_exact
  FROM mycdr FINAL
  WHERE NOT mapContains(flags, 'spy_on')
  GROUP BY pbx, call
)
SETTINGS do_not_merge_across_partitions_select_final = 1
COMMENT 'Calls, a row a call';
