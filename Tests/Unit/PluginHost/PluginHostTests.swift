// Unit tests of the room PluginHost.
