// Live legs from Kafka: every change, and how many are live.
import { randomUUID } from "node:crypto"
import { kafka } from "./kafka.mjs"

const live = new Map()
const consumer = kafka.consumer({ groupId: `live-legs-${randomUUID()}` }) // our own: we see every partition
await consumer.connect()
await consumer.subscribe({ topic: "pbx.calls.legs.v1", fromBeginning: true })
await consumer.run({
  autoCommit: false,
  eachMessage: async ({ message }) => {
    const key = message.key.toString()
    if (message.value === null) live.delete(key) // a tombstone
    else live.set(key, JSON.parse(message.value))
    const leg = live.get(key)
    const change = leg ? `${leg.state} ${leg.src} -> ${leg.dst} on ${leg.dstdevice}` : "over"
    console.log(`${key} ${change} (${live.size} live)`)
  },
})
