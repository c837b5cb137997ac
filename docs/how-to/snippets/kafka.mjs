// Kafka for the other snippets: kafkajs, and the decompression that legbook's records need (it has none of its own).
import { decompress } from "fzstd"
import kafkajs from "kafkajs"

kafkajs.CompressionCodecs[kafkajs.CompressionTypes.ZSTD] = () => ({
  compress: async () => { throw new Error("we send uncompressed") },
  decompress: async (buffer) => Buffer.from(decompress(buffer)),
})

export const kafka = new kafkajs.Kafka({
  clientId: "crm",
  brokers: (process.env.KAFKA_BOOTSTRAP_SERVERS ?? "127.0.0.1:9092").split(","),
  logLevel: kafkajs.logLevel.ERROR,
})
export const { DefaultPartitioner } = kafkajs.Partitioners
