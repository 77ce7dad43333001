using System.Text;
using k8s;
using k8s.Models;
using UvlhubAspire.AppHost.Uvlhub;

namespace UvlhubAspire.AppHost.Publishing;

/// <summary>
/// Manifests for Kubernetes, made of the client's own types: a StatefulSet for the database, a Job for the migrator,
/// Deployments and Services for the rest, and an Ingress in front. They have been checked by type and by kubectl; they
/// have not run on a cluster.
/// </summary>
internal sealed class KubernetesTarget : IPublishTarget
{
    private const string NameLabel = "app.kubernetes.io/name";
    private const string InstanceLabel = "app.kubernetes.io/instance";
    private const string Secrets = "secrets";
    private const string Settings = "settings";

    public string Name => "kubernetes";

    public string Description => "Writes Kubernetes manifests: StatefulSet, Job, Deployments, Services, Ingress, claims.";

    public IEnumerable<OutputFile> Write(PublishedModel model)
    {
        // The cluster has its own ways to a certificate, in front of the ingress.
        var services = model.Services.Where(service => service.Kind != PublishedKind.Certificates).ToList();
        var claims = services.Where(service => service.Kind is not (PublishedKind.Database or PublishedKind.Gateway))
            .SelectMany(service => service.Volumes)
            .Select(volume => volume.Name).Distinct(StringComparer.Ordinal);
        List<object> objects =
        [
            .. claims.Select(claim => Claim(model, claim, model.SharedVolumes.Contains(claim))),
            .. services.Where(service => service.Files.Count > 0).Select(service => Files(model, service)),
            .. services.Where(service => service.Ports.Count > 0).Select(service => Service(model, service)),
            .. services.Select(service => Workload(model, service)),
            .. services.Where(service => service.Kind == PublishedKind.Gateway).Select(service => Ingress(model, service)),
        ];
        var (secrets, settings) = (
            model.Variables.Where(variable => variable.IsSecret).ToList(), model.Variables.Where(variable => !variable.IsSecret).ToList());

        yield return OutputFile.Text("manifests.yml", $"""
            # Written by UvlhubAspire from the model in AppHost.cs; change that and publish again. Not tried on a cluster.
            #   kubectl create namespace {model.Name}
            #   kubectl --namespace {model.Name} create secret generic {Secrets}{string.Concat(secrets.Select(secret => $" --from-file={secret.Name}=FILE"))}
            #   kubectl --namespace {model.Name} create configmap {Settings}{string.Concat(settings.Select(setting => $" --from-literal={setting.Name}=VALUE"))}
            #   kubectl --namespace {model.Name} apply --filename manifests.yml
            # A volume that several replicas of the site share needs a storage class with ReadWriteMany.
            {KubernetesYaml.SerializeAll(objects)}
            """);
        yield return OutputFile.Text(
            "variables.txt", string.Concat(secrets.Select(secret => $"{Secrets}/{secret.Name}: {secret.Description}\n"))
            + string.Concat(settings.Select(setting => $"{Settings}/{setting.Name}: {setting.Description}\n")));
    }

    private static object Workload(PublishedModel model, PublishedService service)
    {
        var labels = Labels(model, service.Name);
        var template = new V1PodTemplateSpec
        {
            Metadata = new V1ObjectMeta { Labels = labels },
            Spec = Pod(service),
        };
        switch (service.Kind)
        {
            case PublishedKind.Job:
                template.Spec.RestartPolicy = "Never";
                return new V1Job
                {
                    ApiVersion = "batch/v1",
                    Kind = "Job",
                    // A job never changes; the next version's is another one.
                    Metadata = Metadata(model, $"{service.Name}-{Label(service.Image.Tag)}", service.Name),
                    Spec = new V1JobSpec { BackoffLimit = 3, TtlSecondsAfterFinished = 24 * 60 * 60, Template = template },
                };
            case PublishedKind.Database:
                return new V1StatefulSet
                {
                    ApiVersion = "apps/v1",
                    Kind = "StatefulSet",
                    Metadata = Metadata(model, service.Name, service.Name),
                    Spec = new V1StatefulSetSpec
                    {
                        Replicas = 1,
                        ServiceName = service.Name,
                        Selector = new V1LabelSelector { MatchLabels = labels },
                        Template = template,
                        VolumeClaimTemplates = [.. service.Volumes.Select(volume => Claim(model, volume.Name, isShared: false))],
                    },
                };
            default:
                return new V1Deployment
                {
                    ApiVersion = "apps/v1",
                    Kind = "Deployment",
                    Metadata = Metadata(model, service.Name, service.Name),
                    Spec = new V1DeploymentSpec
                    {
                        Replicas = service.Kind == PublishedKind.Replicated ? 2 : 1,
                        Selector = new V1LabelSelector { MatchLabels = labels },
                        Strategy = new V1DeploymentStrategy
                        {
                            Type = "RollingUpdate",
                            // The new one is ready before an old one goes.
                            RollingUpdate = new V1RollingUpdateDeployment { MaxSurge = 1, MaxUnavailable = 0 },
                        },
                        Template = template,
                    },
                };
        }
    }

    private static V1PodSpec Pod(PublishedService service) => new()
    {
        // Else every service becomes variables such as DB_PORT=tcp://…, which applications take for their settings.
        EnableServiceLinks = false,
        TerminationGracePeriodSeconds = service.Kind == PublishedKind.Database ? 60 : 40,
        Containers =
        [
            new V1Container
            {
                Name = service.Name,
                Image = $"{service.Image.Name}:{service.Image.Tag}",
                Command = service.Entrypoint is { } entrypoint ? [entrypoint] : null,
                Args = service.Command.Count > 0 ? [.. service.Command.Select(Escape)] : null,
                Env = [.. service.Environment.Select(variable => Variable(service, variable.Key, variable.Value))],
                Ports = [.. service.Ports.Select(port => new V1ContainerPort { ContainerPort = port })],
                ReadinessProbe = Readiness(service),
                LivenessProbe = Listens(service, failures: 6),
                // A site waits for its schema before it listens.
                StartupProbe = Listens(service, failures: 180),
                VolumeMounts =
                [
                    .. service.Volumes.Select(volume => new V1VolumeMount { Name = Label(volume.Name), MountPath = volume.Target, ReadOnlyProperty = volume.IsReadOnly ? true : null }),
                    .. service.Files.Select(file => new V1VolumeMount { Name = "files", MountPath = file.Target, SubPath = Key(file), ReadOnlyProperty = true }),
                ],
            },
        ],
        Volumes =
        [
            .. service.Kind switch
            {
                PublishedKind.Database => [],
                // Nothing of a gateway outlives it: its certificates are the cluster's business.
                PublishedKind.Gateway =>
                    service.Volumes.Select(volume => new V1Volume { Name = Label(volume.Name), EmptyDir = new V1EmptyDirVolumeSource() }),
                _ => service.Volumes.Select(volume => new V1Volume { Name = Label(volume.Name), PersistentVolumeClaim = new V1PersistentVolumeClaimVolumeSource { ClaimName = Label(volume.Name) } }),
            },
            .. service.Files.Count > 0
                ? [new V1Volume { Name = "files", ConfigMap = new V1ConfigMapVolumeSource { Name = $"{service.Name}-files" } }]
                : Array.Empty<V1Volume>(),
        ],
    };

    private static V1EnvVar Variable(PublishedService service, string key, PublishedValue value)
    {
        if (!value.Variables.Any())
        {
            return new V1EnvVar { Name = key, Value = value.Render(Escape, _ => "") };
        }

        var variable = value.Variable
            ?? throw new DistributedApplicationException(
                $"{service.Name}: {key} has a variable inside other text, which a manifest cannot say");
        return new V1EnvVar
        {
            Name = key,
            ValueFrom = variable.IsSecret
                ? new V1EnvVarSource { SecretKeyRef = new V1SecretKeySelector { Name = Secrets, Key = variable.Name } }
                : new V1EnvVarSource { ConfigMapKeyRef = new V1ConfigMapKeySelector { Name = Settings, Key = variable.Name } },
        };
    }

    private static V1Probe? Readiness(PublishedService service) => service.Probe is not { } probe ? null : new V1Probe
    {
        PeriodSeconds = 5,
        TimeoutSeconds = 10,
        FailureThreshold = 3,
        HttpGet = probe.Page is { } page ? new V1HTTPGetAction { Path = page, Port = service.Ports[0] } : null,
        Exec = probe.Page is null ? new V1ExecAction { Command = [.. probe.Command] } : null,
    };

    // Whether it lives is another question than whether it is ready: a site without its database needs no restart.
    private static V1Probe? Listens(PublishedService service, int failures) =>
        service.Ports.Count == 0 || service.Kind == PublishedKind.Job ? null : new V1Probe
        {
            PeriodSeconds = 5,
            FailureThreshold = failures,
            TcpSocket = new V1TCPSocketAction { Port = service.Ports[0] },
        };

    private static V1Service Service(PublishedModel model, PublishedService service) => new()
    {
        ApiVersion = "v1",
        Kind = "Service",
        Metadata = Metadata(model, service.Name, service.Name),
        Spec = new V1ServiceSpec
        {
            ClusterIP = service.Kind == PublishedKind.Database ? "None" : null,
            Selector = Labels(model, service.Name),
            Ports = [.. service.Ports.Select(port => new V1ServicePort { Name = $"port-{port}", Port = port, TargetPort = port })],
        },
    };

    private static V1Ingress Ingress(PublishedModel model, PublishedService service)
    {
        // Whoever applies it may not know the name yet; without one it answers under every name.
        var host = model.Domain.Variables.Any() ? null : model.Domain.Render(text => text, _ => "");
        return new V1Ingress
        {
            ApiVersion = "networking.k8s.io/v1",
            Kind = "Ingress",
            Metadata = Metadata(model, service.Name, service.Name),
            Spec = new V1IngressSpec
            {
                Rules =
                [
                    new V1IngressRule
                    {
                        Host = host,
                        Http = new V1HTTPIngressRuleValue
                        {
                            Paths =
                            [
                                new V1HTTPIngressPath
                                {
                                    Path = "/",
                                    PathType = "Prefix",
                                    Backend = new V1IngressBackend { Service = new V1IngressServiceBackend { Name = service.Name, Port = new V1ServiceBackendPort { Number = service.Ports[0] } } },
                                },
                            ],
                        },
                    },
                ],
                Tls = model.HasTls && host is not null ? [new V1IngressTLS { Hosts = [host], SecretName = $"{model.Name}-tls" }] : null,
            },
        };
    }

    private static V1PersistentVolumeClaim Claim(PublishedModel model, string volume, bool isShared) => new()
    {
        ApiVersion = "v1",
        Kind = "PersistentVolumeClaim",
        Metadata = Metadata(model, Label(volume), volume),
        Spec = new V1PersistentVolumeClaimSpec
        {
            AccessModes = [isShared ? "ReadWriteMany" : "ReadWriteOnce"],
            Resources = new V1VolumeResourceRequirements { Requests = new Dictionary<string, ResourceQuantity> { ["storage"] = new("10Gi") } },
        },
    };

    private static V1ConfigMap Files(PublishedModel model, PublishedService service) => new()
    {
        ApiVersion = "v1",
        Kind = "ConfigMap",
        Metadata = Metadata(model, $"{service.Name}-files", service.Name),
        // A service's address stays the same here, so nginx may look it up once, as the checkout has it.
        Data = service.Files.ToDictionary(Key, file => Encoding.UTF8.GetString(file.Content.Span)),
    };

    private static V1ObjectMeta Metadata(PublishedModel model, string name, string part) =>
        new() { Name = name, Labels = Labels(model, part) };

    private static Dictionary<string, string> Labels(PublishedModel model, string part) => new(StringComparer.Ordinal)
    {
        [NameLabel] = Label(part),
        [InstanceLabel] = model.Name,
    };

    private static string Key(PublishedFile file) => Names.Clean(file.Path, '_', ".-");

    // RFC 1123: lower case letters, digits and dashes, with a letter or digit at both ends.
    private static string Label(string name) => Names.Clean(name.ToLowerInvariant(), '-').Trim('-');

    // $(NAME) is a variable's value there.
    private static string Escape(string text) => text.Replace("$(", "$$(", StringComparison.Ordinal);
}
