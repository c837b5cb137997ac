-- curcdr: one row per live leg. The first 30 columns are those of astercc, in its order and spelling, because
-- old pages say SELECT *; ours come after them.
--
-- Widths. MEMORY rows are as wide as they may get, so: latin1 (1 byte a character) where Asterisk and SIP use
-- ASCII, utf8mb4 where people write names. Each column is at least as wide as astercc's. Wider are
--   src dst didnumber queue     80: an extension or a queue name in Asterisk (AST_MAX_EXTENSION)
--   srcuid dstuid linkedid     150: a uniqueid with a system name (AST_MAX_UNIQUEID); one that is cut is no id
-- Channel names have at most 80 in Asterisk (AST_CHANNEL_NAME). The writer cuts what is longer, and counts it.
--
-- Collations ignore case: old pages ask for 'SIP/201-%' and 'AGENT/1001', rows are lower case.
-- Zero dates need a session without NO_ZERO_DATE; the size of a MEMORY table is fixed by max_heap_table_size
-- of the session that creates it. `legbook migrate` sets both.

CREATE TABLE IF NOT EXISTS curcdr (
  id             BIGINT NOT NULL COMMENT 'leg_id: grows per PBX, unique in the fleet, never reused; same id in ClickHouse mycdr',
  src            VARCHAR(80) NOT NULL DEFAULT '' COMMENT 'Who calls: number of the caller, or of the peer while one is there; <unknown> if withheld',
  dst            VARCHAR(80) NOT NULL DEFAULT '' COMMENT 'Who is called: the number that was dialled',
  srcname        VARCHAR(100) CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci NOT NULL DEFAULT '' COMMENT 'Name of the caller',
  srcchan        VARCHAR(100) NOT NULL DEFAULT '' COMMENT 'Channel of the caller, lower case; empty when it is gone',
  dstchan        VARCHAR(100) NOT NULL DEFAULT '' COMMENT 'Called channel, lower case; empty while nobody is rung',
  didnumber      VARCHAR(80) NOT NULL DEFAULT '' COMMENT 'Number that was called from outside',
  starttime      DATETIME NOT NULL DEFAULT '0000-00-00 00:00:00' COMMENT 'When the row was born, PBX-local time',
  answertime     DATETIME NOT NULL DEFAULT '0000-00-00 00:00:00' COMMENT 'First moment both could talk, PBX-local time; zero before',
  calldate       DATETIME NOT NULL DEFAULT '0000-00-00 00:00:00' COMMENT 'When the caller was first answered by anything (an IVR too), PBX-local time; zero before',
  srcuid         VARCHAR(150) NOT NULL DEFAULT '' COMMENT 'Uniqueid of the calling channel',
  dstuid         VARCHAR(150) NOT NULL DEFAULT '' COMMENT 'Uniqueid of the called channel',
  queue          VARCHAR(80) NOT NULL DEFAULT '' COMMENT 'Queue the caller waits in or came through',
  disposition    VARCHAR(10) NOT NULL DEFAULT '' COMMENT 'RING nobody rung yet, DIAL, RINGING, LINK talking',
  userid         INT NOT NULL DEFAULT 0 COMMENT 'Written by pages: booth (clid.id)',
  groupid        INT NOT NULL DEFAULT 0 COMMENT 'Written by pages: account group',
  accountid      INT NOT NULL DEFAULT 0 COMMENT 'Written by pages: account',
  resellerid     INT NOT NULL DEFAULT 0 COMMENT 'Written by pages: reseller',
  credit         DOUBLE(24,4) NOT NULL DEFAULT 0 COMMENT 'Written by pages: price so far',
  callshopcredit DOUBLE(24,4) NOT NULL DEFAULT 0 COMMENT 'Written by pages: price for the call shop',
  resellercredit DOUBLE(24,4) NOT NULL DEFAULT 0 COMMENT 'Written by pages: price for the reseller',
  creditlimit    DOUBLE(24,4) NOT NULL DEFAULT 0 COMMENT 'Written by pages: limit of this call',
  destination    VARCHAR(100) CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci NOT NULL DEFAULT '' COMMENT 'Written by pages: name of the rate',
  dialstring     VARCHAR(100) NOT NULL DEFAULT '' COMMENT 'What Dial() was told to call, without technology',
  dialstatus     VARCHAR(40) NOT NULL DEFAULT '' COMMENT 'DIALSTATUS, once known',
  agentchan      VARCHAR(100) NOT NULL DEFAULT '' COMMENT 'Channel of the device behind agent/NNNN; empty without chan_agent',
  memo           VARCHAR(100) CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci NOT NULL DEFAULT '' COMMENT 'Written by pages: note',
  accountcode    VARCHAR(100) NOT NULL DEFAULT '' COMMENT 'Account code of the channel',
  pushcall       VARCHAR(10) DEFAULT 'no' COMMENT 'Written by pages: yes once the call was pushed',
  monitored      INT NOT NULL DEFAULT 0 COMMENT 'Written by pages: recording (monitorrecord.id)',
  pbx            VARCHAR(32) CHARACTER SET ascii COLLATE ascii_general_ci NOT NULL COMMENT 'PBX, as named in the fleet file',
  linkedid       VARCHAR(150) NOT NULL DEFAULT '' COMMENT 'Linkedid: the same for all legs of a call',
  ver            BIGINT UNSIGNED NOT NULL COMMENT 'Version of the row: epoch << 32 | seq of the entry that made it',
  PRIMARY KEY (id) USING BTREE,
  KEY src (src) USING BTREE,
  KEY dst (dst) USING BTREE,
  KEY srcchan (srcchan) USING BTREE,
  KEY dstchan (dstchan) USING BTREE,
  KEY srcuid (srcuid) USING BTREE,
  KEY dstuid (dstuid) USING BTREE,
  KEY pbx (pbx) USING BTREE
) ENGINE=MEMORY DEFAULT CHARACTER SET latin1 COLLATE latin1_swedish_ci
  COMMENT='Live legs of all PBXs. A cache: legbook fills it again after a restart';
