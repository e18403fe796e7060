/// One RPC of a service, without its types: enough to find a handler by path.
package struct ProtoMethodDescriptor: Sendable, Hashable {
    /// Full name of the service, e.g. `domed.v1.DomedService`.
    package let service: String
    package let name: String
    package let clientStreaming: Bool
    package let serverStreaming: Bool
    /// What HTTP/2's `:path` says, e.g. `/domed.v1.DomedService/Health`.
    package let path: String

    package init(service: String, name: String, clientStreaming: Bool, serverStreaming: Bool) {
        self.service = service
        self.name = name
        self.clientStreaming = clientStreaming
        self.serverStreaming = serverStreaming
        path = "/" + service + "/" + name
    }
}

/// One RPC together with its message types, so that a call cannot be made with the wrong ones.
package struct ProtoMethod<Request: ProtoMessage, Response: ProtoMessage>: Sendable {
    package let descriptor: ProtoMethodDescriptor

    package init(
        service: String, name: String, clientStreaming: Bool = false, serverStreaming: Bool = false
    ) {
        descriptor = ProtoMethodDescriptor(
            service: service, name: name, clientStreaming: clientStreaming, serverStreaming: serverStreaming)
    }

    package var path: String { descriptor.path }
}

/// A service of a .proto: generated as an enum without cases that holds its methods.
package protocol ProtoService {
    /// Full name, e.g. `domed.v1.DomedService`.
    static var name: String { get }
    /// In the order of the .proto.
    static var methods: [ProtoMethodDescriptor] { get }
}
