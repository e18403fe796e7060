// Composition of dome: the command line of room Commands, and nothing else.
import DomeCommands
import Glibc

exit(CommandLineTool.main(CommandLine.arguments))
