package import DomeModel
package import DomePlatform

/// A program of dome's that is to run foreign code outside any job: a plugin's scan, an executor's worker. `domed-keeper
/// --confine` starts it in a jail of its own, passes its stdout and stderr on, and ends as it ends.
package struct ConfinedLaunch: Sendable {
    package var plan: LaunchPlan
    /// What the program gets as descriptor 3, if anything.
    package var channel: FileDescriptor?

    /// Where `domed-keeper --confine` finds them; the channel only with `--channel`: without, the number is free.
    package static let planDescriptor: Int32 = 3
    package static let channelDescriptor: Int32 = 4
    /// How it ends when the program could not be started; the reason is on its stderr and, as a report or a message of
    /// the worker's, where the program's own words go.
    package static let failureStatus: Int32 = 125

    package init(_ plan: LaunchPlan, channel: FileDescriptor? = nil) {
        (self.plan, self.channel) = (plan, channel)
    }

    /// The command that starts it; `stdout` and `stderr` are the caller's to add.
    package func command(keeperPath: String) throws(DomeError) -> Subprocess {
        var writer = ByteWriter(capacity: 1024)
        plan.write(to: &writer)
        let memory = try writer.bytes.withBytes { raw throws(DomeError) in
            try SealedMemory.make(named: "dome-plan", raw)
        }
        var program = Subprocess(keeperPath, ["domed-keeper", "--confine"] + (channel == nil ? [] : ["--channel"]))
        program.environment = ["PATH=/usr/bin:/bin", "LANG=C.UTF-8"]
        program.descriptors = [(memory, Self.planDescriptor)]
        if let channel { program.descriptors.append((channel, Self.channelDescriptor)) }
        return program
    }

    /// What `domed-keeper --confine` was given.
    package static func plan(from memory: FileDescriptor) throws(DomeError) -> LaunchPlan {
        let bytes = try SealedMemory.read(memory, limitBytes: 80 << 20)
        return try bytes.withBytes { raw throws(DomeError) in
            var reader = ByteReader(raw)
            return try LaunchPlan(from: &reader)
        }
    }

    /// The worker's program, as every such process sees it.
    package static func workerMount(_ path: String) -> Mount {
        var mount = Mount(source: path, target: AdapterJob.workerPath, isWritable: false)
        mount.isPlain = Files.isOpenToAll(path)
        return mount
    }

    /// A plugin's folder; `device` and `inode` as they were when it was looked at, 0 if that does not matter.
    package static func pluginMount(_ path: String, device: UInt64 = 0, inode: UInt64 = 0) -> Mount {
        var mount = Mount(
            source: path, target: AdapterJob.pluginFolder, isWritable: false, device: device, inode: inode)
        mount.isPlain = Files.isOpenToAll(path)
        return mount
    }

    /// A plugin's library over itself: that very file, whatever has taken its name in the folder since. Nil for a
    /// library that is a symbolic link.
    package static func libraryMount(_ folder: String, _ library: String, device: UInt64, inode: UInt64) -> Mount? {
        let path = folder + "/" + library
        guard Files.isRegularFile(path) else { return nil }
        var mount = Mount(
            source: path, target: AdapterJob.pluginFolder + "/" + library, isWritable: false, device: device,
            inode: inode)
        mount.isPlain = Files.isOpenToAll(path)
        return mount
    }

    /// The plan of a worker over a plugin's folder: nothing but these and what `limits` and `network` say.
    package static func workerPlan(
        arguments: [String], workerPath: String, pluginMounts: [Mount]
    ) -> LaunchPlan {
        var plan = LaunchPlan(
            jobID: JobID(createdMilliseconds: 0, random: (0, 0)), arguments: [AdapterJob.workerPath] + arguments,
            environment: ["PATH=/usr/bin:/bin", "LANG=C.UTF-8"])
        plan.mounts = [workerMount(workerPath)] + pluginMounts
        plan.limits.diskBytes = 1 << 20
        return plan
    }
}
