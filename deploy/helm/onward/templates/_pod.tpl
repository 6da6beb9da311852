{{/* Parts that every pod of ours has. */}}

{{/* Onward asks Kubernetes nothing: no token. Service links would look like settings to it. */}}
{{- define "onward.podBasics" -}}
automountServiceAccountToken: false
enableServiceLinks: false
{{- with .Values.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.podSecurityContext }}
securityContext:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{- define "onward.containerBasics" -}}
image: {{ include "onward.image" . | quote }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
{{- with .Values.securityContext }}
securityContext:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{/* /livez fails where the process does not answer, or its consumer stays stuck: an outage outside is no reason for a restart. */}}
{{- define "onward.probes" -}}
startupProbe:
  httpGet: { path: /livez, port: http }
  periodSeconds: 2
  failureThreshold: 60
livenessProbe:
  httpGet: { path: /livez, port: http }
  periodSeconds: 10
  timeoutSeconds: 5
  failureThreshold: 6
readinessProbe:
  httpGet: { path: /readyz, port: http }
  periodSeconds: 5
  timeoutSeconds: 5
  failureThreshold: 2
{{- end -}}

{{/* Where pods run. Takes (list $ component service's values). */}}
{{- define "onward.scheduling" -}}
{{- $root := index . 0 -}}
{{- $component := index . 1 -}}
{{- with index . 2 -}}
{{- with .priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with .nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .topologySpreadConstraints }}
topologySpreadConstraints:
  {{- range . }}
  -
    {{- toYaml . | nindent 4 }}
    {{- /* Pods of before an upgrade must not count, or the new ones crowd where the old ones were not. */}}
    matchLabelKeys: [pod-template-hash]
    labelSelector:
      matchLabels:
        {{- include "onward.selector" (list $root $component) | nindent 8 }}
  {{- end }}
{{- end }}
{{- end -}}
{{- end -}}

{{/* What a pod must be replaced for, and does not show in its own spec. Takes (list $ service's values). */}}
{{- define "onward.podAnnotations" -}}
{{- with (index . 0).Values.secretsRevision }}
onward.example/secrets-revision: {{ . | quote }}
{{- end }}
{{- with (index . 1).podAnnotations }}
{{ toYaml . }}
{{- end }}
{{- end -}}
