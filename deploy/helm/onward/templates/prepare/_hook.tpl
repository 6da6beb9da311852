{{/*
When the job runs. Forwarders end at once where topics are missing, so it runs before them; but topics and a user that Strimzi makes
are there only after the install. What succeeded is removed; what failed stays to be looked at, until the next run.
Takes (list $ weight).
*/}}
{{- define "onward.prepareHook" -}}
{{- with (index . 0).Values.strimzi -}}
{{- if or .topics.enabled .user.enabled -}}
helm.sh/hook: post-install,post-upgrade,post-rollback
{{- else -}}
helm.sh/hook: pre-install,pre-upgrade,pre-rollback
{{- end -}}
{{- end }}
helm.sh/hook-weight: {{ index . 1 | quote }}
helm.sh/hook-delete-policy: before-hook-creation,hook-succeeded
{{- end -}}

{{- define "onward.prepareContainer" -}}
{{- include "onward.containerBasics" . }}
env:
  {{- include "onward.commonEnv" . | nindent 2 }}
  {{- include "onward.settingsEnv" .Values.settings | nindent 2 | trimSuffix "\n  " }}
resources:
  {{- toYaml .Values.prepare.resources | nindent 2 }}
{{- end -}}

{{/* Names of the forwarding files, sorted, as `{ files: [] }`. */}}
{{- define "onward.forwardingFiles" -}}
{{- with .Values.forwarding -}}
{{- if .existingConfigMap }}
files: {{ .existingKeys | sortAlpha | toJson }}
{{- else }}
files: {{ keys .files | sortAlpha | toJson }}
{{- end }}
{{- end -}}
{{- end -}}
