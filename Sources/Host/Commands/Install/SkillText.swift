/// What a model is taught of dome, for clients that have skills: when to use it, and how.
enum SkillText {
    static let text = """
        ---
        name: dome
        description: Run commands, scripts and other tools in a sandbox through dome, follow long jobs, find tools. Use it to run code nobody has read, anything that may take longer than a few seconds, searches of files, git history, databases, and whenever a result must not be lost to a time-out.
        ---

        # dome: tools as sandboxed jobs

        dome runs every tool as a job of its own in a sandbox. A job sees system programs, an empty folder `/job`, and only
        those files and networks that you name. It is recorded, it outlives time-outs and restarts, and its output can be
        read again at any time.

        ## Run something

        - A shell command: `shell_run` with `script`, or `argv` to do without a shell.
        - Search files: `text_search` with `pattern` and `path`. Read and list them: `fs_read`, `fs_list`. Change them:
          `fs_write`, `patch_apply` (grant `fs.write`). Commits: `git_log` with `repository`; what is changed: `git_status`.
        - Anything else: `dome_search_tools` finds it, `dome_describe_tool` shows what it takes, `dome_run` runs it by its
          `tool_id` with a `task`. Tools that are not in your list are run this way, too.

        ## Grants: what a job may touch

        By default a job may read the working folder and nothing else of the user's. Say what it needs, with absolute paths,
        as little as will do:

        - `"grants": ["fs.read:/src/project"]` to read, `["fs.write:/src/project/build"]` to read and write.
        - `net.full` for the network, `net.loopback` for a network of its own without a way out.
        - `grants` replaces the default: name the working folder again if the job needs it besides others.
        - Refused (`E_POLICY_DENIED`)? The message says why. Do not try variants; ask for less, or ask the user.

        Relative paths mean nothing to a job: it starts in `/job`. Write `cd /src/project && …` in a script.

        ## Long jobs

        A call waits at most 25 seconds. If the answer's `state` is `running`, the job goes on by itself:

        1. `dome_follow` with its `job_id` and `since_seq` = the answer's `next_seq`.
        2. Again with the new `next_seq`, until `state` is `succeeded`, `failed` or `canceled`.

        Never start it again because a call ended: you would have two. Lost the id? `dome_job_status` lists the latest
        jobs. For work of minutes give `"wait_s": 0` and do something else meanwhile. `dome_cancel` ends a job.

        ## Read the answer

        - `ok` false: `code`, `message` and `hint` say what went wrong and what to do. Follow `hint`.
        - `E_JOB_FAILED` with an `exit_code`: the program ran and failed; read `stderr`.
        - "No such file" for something that exists: it was not granted.
        - `truncated` true: output is left out; `hint` names the `dome_follow` call that pages through it.

        ## Keep files

        What a job leaves in `/job/out` is kept: `mkdir out; make-report >out/report.txt`. The answer lists it in
        `artifacts`; `dome_read_artifact` reads it, images as images. For large results write a file there and print a
        summary.

        """
}
