internal import Glibc

/// Finds tools by words, the best first (BM25 over id, title, kind, descriptions and the names of parameters). Not
/// thread-safe.
package final class ToolIndex {
    /// How often a word stands in a tool's text, weighted by where.
    private struct Posting {
        var document: Int32
        var weight: Float
    }

    private struct Document {
        /// Nil: it is gone or was changed, and stands under another number since.
        var tool: Tool?
        var length: Float
        /// Of a tool that is not to be used any more.
        var isDeprecated: Bool
        /// Its place among the tools by id.
        var rank: Int32
    }

    private var tools: [Tool] = []
    private var documents: [Document] = []
    private var numbers: [ObjectIdentifier: Int] = [:]
    private var words: [String: Int] = [:]
    private var spellings: [String] = []
    private var postings: [[Posting]] = []
    private var totalLength: Float = 0

    // The usual parameters of BM25.
    private static let saturation: Float = 1.2
    private static let lengthWeight: Float = 0.6
    /// A word that only begins like the one that was asked for.
    private static let prefixWeight: Float = 0.4
    private static let wordsLimit = 400

    package init() {}

    // MARK: Keeping it up to date

    /// Takes over the tools of a snapshot; only those that changed are read.
    package func update(_ snapshot: CatalogSnapshot) {
        let now = snapshot.tools
        var isSame = now.count == tools.count
        if isSame { isSame = zip(now, tools).allSatisfy { $0 === $1 } }
        guard !isSame else { return }
        tools = now
        let present = Set(now.map(ObjectIdentifier.init))
        for (key, number) in numbers where !present.contains(key) {
            totalLength -= documents[number].length
            documents[number].tool = nil
            numbers[key] = nil
        }
        if documents.count > 2 * now.count + 64 { clear() }
        for (rank, tool) in now.enumerated() {
            let number = numbers[ObjectIdentifier(tool)] ?? add(tool)
            documents[number].rank = Int32(rank)
        }
    }

    private func clear() {
        (documents, numbers, words, spellings, postings, totalLength) = ([], [:], [:], [], [], 0)
    }

    private func add(_ tool: Tool) -> Int {
        var weights: [Int: Float] = [:]
        var length: Float = 0
        for (text, weight) in Self.fields(of: tool) {
            for word in SearchWords.all(text, limit: Self.wordsLimit) {
                weights[number(of: word), default: 0] += weight
                length += weight
            }
        }
        let document = documents.count
        for (word, weight) in weights { postings[word].append(Posting(document: Int32(document), weight: weight)) }
        documents.append(
            Document(tool: tool, length: length, isDeprecated: !tool.manifest.advice.deprecation.isEmpty, rank: 0))
        numbers[ObjectIdentifier(tool)] = document
        totalLength += length
        return document
    }

    private func number(of word: String) -> Int {
        if let number = words[word] { return number }
        words[word] = postings.count
        spellings.append(word)
        postings.append([])
        return postings.count - 1
    }

    private static func fields(of tool: Tool) -> [(text: String, weight: Float)] {
        let manifest = tool.manifest
        var fields: [(String, Float)] = [
            (manifest.id, 6), (manifest.title, 5), (manifest.kind, 2), (manifest.shortDescription, 3),
            (manifest.description, 1),
        ]
        let properties = tool.inputProperties
        fields += properties.map { ($0, 1.5) }
        fields += manifest.advice.examples.map { ($0.title, 1) }
        return fields
    }

    // MARK: Asking

    /// The tools that have a word of the question, or one that begins like it; the best first, then by id, from `offset`
    /// on. All of them, by id, for a question without words. With how many there are.
    package func best(_ question: String, offset: Int = 0, limit: Int) -> (tools: [Tool], total: Int) {
        let wanted = SearchWords.question(question)
        guard !wanted.isEmpty else { return (Array(tools.dropFirst(offset).prefix(limit)), tools.count) }
        let average = totalLength / Float(max(1, numbers.count))
        var scores = [Float](repeating: 0, count: documents.count)
        for word in wanted {
            if let number = words[word] { score(number, 1, average, &scores) }
            for number in beginning(with: word) { score(number, Self.prefixWeight, average, &scores) }
        }
        var found: [(score: Float, rank: Int32)] = []
        for (number, score) in scores.enumerated() where score > 0 && documents[number].tool != nil {
            let document = documents[number]
            found.append((document.isDeprecated ? score / 4 : score, document.rank))
        }
        found.sort { $0.score != $1.score ? $0.score > $1.score : $0.rank < $1.rank }
        return (found.dropFirst(offset).prefix(limit).map { tools[Int($0.rank)] }, found.count)
    }

    private func score(_ word: Int, _ factor: Float, _ average: Float, _ scores: inout [Float]) {
        let list = postings[word]
        let (count, present) = (Float(numbers.count), Float(min(list.count, numbers.count)))
        let rarity = log(1 + (count - present + 0.5) / (present + 0.5))
        for posting in list {
            let document = Int(posting.document)
            let length = documents[document].length / max(average, 1)
            let dampened = Self.saturation * (1 - Self.lengthWeight + Self.lengthWeight * length)
            scores[document] += factor * rarity * posting.weight * (Self.saturation + 1) / (posting.weight + dampened)
        }
    }

    /// Longer words that begin with `word`, and shorter ones that it begins with.
    private func beginning(with word: String) -> [Int] {
        let wanted = Array(word.utf8)
        guard wanted.count >= 3 else { return [] }
        return spellings.indices.filter { index in
            let spelling = spellings[index].utf8
            guard spelling.count >= 3, spelling.count != wanted.count else { return false }
            return zip(spelling, wanted).allSatisfy { $0 == $1 }
        }
    }
}
