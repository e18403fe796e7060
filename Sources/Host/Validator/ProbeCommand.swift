internal import DomeCatalog
internal import DomeLink
internal import DomeModel
internal import DomePlatform
internal import Glibc

/// How a probe is started: in a jail like a job's, with what plugin.json asks for, or as any program.
struct ProbeCommand {
    let probe: String
    let folder: String
    let manifest: PluginFile
    let options: Validator.Options

    /// The command, without its stdout and stderr. `channel` becomes its descriptor 3.
    func subprocess(_ channel: FileDescriptor) throws(DomeError) -> Subprocess {
        guard options.isConfined else {
            var program = Subprocess(probe, ["domed-plugin-probe", "\(folder)/\(manifest.library)", folder])
            program.descriptors = [(channel, 3)]
            program.workingDirectory = "/"
            program.environment = Self.environment
            return program
        }
        let inside = AdapterJob.pluginFolder
        var plan = ConfinedLaunch.workerPlan(
            arguments: ["\(inside)/\(manifest.library)", inside], workerPath: probe,
            pluginMounts: [ConfinedLaunch.pluginMount(folder)])
        for permission in manifest.permissions {
            switch permission {
            case .readPath(let path?): plan.mounts.append(Mount(source: path, target: path, isWritable: false))
            case .writePath(let path?): plan.mounts.append(Mount(source: path, target: path, isWritable: true))
            case .networkFull: plan.network = .full
            case .networkLoopback: plan.network = plan.network == .full ? .full : .loopback
            case .unixSockets: plan.allowsUnixSockets = true
            case .environment(let name):
                if let value = getenv(name) { plan.environment.append(name + "=" + String(cString: value)) }
            case .readPath(nil), .writePath(nil), .process: break
            }
        }
        return try ConfinedLaunch(plan, channel: channel).command(keeperPath: options.keeperPath)
    }

    /// Nothing of the caller's but where things are found: a plugin that needs more asks its configuration.
    private static var environment: [String] {
        (["PATH", "HOME", "LANG"] as [String]).compactMap { name in
            getenv(name).map { name + "=" + String(cString: $0) }
        }
    }
}
