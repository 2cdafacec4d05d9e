//! Control groups: their paths by number, and what Kubernetes and container engines write into the paths.
//!
//! Sources: `PERF_RECORD_CGROUP` in `perf_event.h`; path forms of the kubelet (systemd and cgroupfs drivers), containerd, CRI-O, Docker and Podman.
//! Deliberately absent: names of pods, which no path holds. Start reading at [`pod`] and [`container`].

/// The uid of the Kubernetes pod, in its usual form with dashes.
///
/// `/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod<uid with _>.slice/…`, `/kubepods/burstable/pod<uid>/…`.
pub(super) fn pod(path: &str) -> Option<String> {
    if !path.contains("kubepods") {
        return None;
    }
    path.split(['/', ':']).rev().find_map(|part| {
        let part = part.strip_suffix(".slice").unwrap_or(part);
        let uid = part.rsplit_once("-pod").map_or_else(|| part.strip_prefix("pod"), |(_, uid)| Some(uid))?;
        let is_uid = uid.len() >= 32 && uid.bytes().all(|byte| byte.is_ascii_hexdigit() || matches!(byte, b'-' | b'_'));
        is_uid.then(|| uid.replace('_', "-"))
    })
}

/// The id of the container: 64 hex digits, alone or behind the engine's name (`cri-containerd-<id>.scope`, `docker-<id>.scope`).
pub(super) fn container(path: &str) -> Option<&str> {
    path.split(['/', ':']).rev().find_map(|part| {
        let part = part.strip_suffix(".scope").unwrap_or(part);
        let id = part.rsplit('-').next().unwrap_or(part);
        (id.len() == 64 && id.bytes().all(|byte| byte.is_ascii_hexdigit())).then_some(id)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pods_and_containers_are_found_in_the_paths_of_all_engines() {
        let id = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
        let uid = "2f1b7e0a-9c55-4f0e-8a3d-1c6a2d9be7f4";
        let low = uid.replace('-', "_");
        for (path, has_pod, has_container) in [
            (format!("/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod{low}.slice/cri-containerd-{id}.scope"), true, true),
            (format!("/kubepods.slice/kubepods-pod{low}.slice/crio-{id}.scope"), true, true),
            (format!("/kubepods/besteffort/pod{uid}/{id}"), true, true),
            (format!("/kubepods.slice/kubepods-pod{low}.slice/crio-{id}.scope/inner"), true, true),
            (format!("/system.slice/containerd.service/kubepods-burstable-pod{low}.slice:cri-containerd:{id}"), true, true),
            (format!("/docker/{id}"), false, true),
            (format!("/system.slice/docker-{id}.scope"), false, true),
            (format!("/machine.slice/libpod-{id}.scope/container"), false, true),
            ("/user.slice/user-1000.slice/session-2.scope".to_owned(), false, false),
            ("/".to_owned(), false, false),
        ] {
            assert_eq!(pod(&path).as_deref(), has_pod.then_some(uid), "{path}");
            assert_eq!(container(&path), has_container.then_some(id), "{path}");
        }
    }
}
