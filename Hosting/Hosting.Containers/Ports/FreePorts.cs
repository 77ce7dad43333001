using System.Net;
using System.Net.Sockets;

namespace UvlhubAspire.Hosting.Containers;

/// <summary>Which ports of the loopback address are free.</summary>
public static class FreePorts
{
    /// <summary>Whether nobody listens on a port, neither by IPv4 nor by IPv6.</summary>
    public static bool IsFree(int port) =>
        CanListen(IPAddress.Loopback, port) && (!Socket.OSSupportsIPv6 || CanListen(IPAddress.IPv6Loopback, port));

    /// <summary>A port that was free a moment ago, and is not one that this method has given out before.</summary>
    public static int Next()
    {
        lock (s_given)
        {
            while (true)
            {
                using var listener = new TcpListener(IPAddress.Loopback, 0);
                listener.Start();
                var port = ((IPEndPoint)listener.LocalEndpoint).Port;
                listener.Stop();
                if (IsFree(port) && s_given.Add(port))
                {
                    return port;
                }
            }
        }
    }

    private static readonly HashSet<int> s_given = [];

    private static bool CanListen(IPAddress address, int port)
    {
        using var listener = new TcpListener(address, port);
        try
        {
            listener.Start();
            return true;
        }
        catch (SocketException exception) when (exception.SocketErrorCode == SocketError.AccessDenied)
        {
            // Ports below 1024 are reserved for root, as which the engine opens them.
            return !Answers(address, port);
        }
        catch (SocketException exception)
        {
            // A machine without IPv6 says that the address does not exist, which hinders nobody.
            return exception.SocketErrorCode == SocketError.AddressNotAvailable;
        }
    }

    private static bool Answers(IPAddress address, int port)
    {
        using var client = new TcpClient(address.AddressFamily);
        try
        {
            client.Connect(address, port);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
