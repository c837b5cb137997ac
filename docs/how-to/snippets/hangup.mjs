// Hang up a live leg: node hangup.mjs PBX LEG_ID. Exit code 0: it is done.
import { createHash, randomUUID } from "node:crypto"
import { DefaultPartitioner, kafka } from "./kafka.mjs"

const [pbx, legId] = process.argv.slice(2)
const results = "pbx.commands.results.v1"
const now = Date.now()
const value = JSON.stringify({
  v: 1,
  command_id: randomUUID(),
  pbx,
  verb: "hangup",
  args: { leg_id: Number(legId), side: "dst" },
  issuer: "crm",
  actor: "alice",
  issued_at: new Date(now).toISOString(),
  not_after: new Date(now + 5_000).toISOString(),
})
const digest = createHash("sha256").update(value).digest("hex") // the answer to this command, and to no other

const admin = kafka.admin()
await admin.connect()
const ends = await admin.fetchTopicOffsets(results) // before we ask, so that the answer cannot be missed
await admin.disconnect()

const consumer = kafka.consumer({ groupId: `crm-${randomUUID()}` })
const finish = async (line, code) => {
  console.log(line)
  await Promise.all([consumer.disconnect(), producer.disconnect()])
  process.exit(code)
}
await consumer.connect()
await consumer.subscribe({ topic: results })
await consumer.run({
  autoCommit: false,
  eachMessage: async ({ message }) => {
    const result = message.value && JSON.parse(message.value)
    if (result?.digest !== digest || result.state === "sent") return // only sent is not final
    setImmediate(finish, `${result.state} ${result.reason ?? ""} ${result.message}`, result.state === "done" ? 0 : 1)
  },
})
for (const { partition, offset } of ends) consumer.seek({ topic: results, partition, offset })

// key = pbx: kafkajs' DefaultPartitioner hashes it as Kafka does, which is the partition of the PBX
const producer = kafka.producer({ createPartitioner: DefaultPartitioner, idempotent: true })
await producer.connect()
await producer.send({ topic: "pbx.commands.v1", messages: [{ key: pbx, value, headers: { schema: "Hangup/1", pbx } }] })
setTimeout(finish, 15_000, "no result: it may have had its effect, or may yet", 1)
